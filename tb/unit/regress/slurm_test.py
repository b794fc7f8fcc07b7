#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Slurm launcher: a private one-node cluster, a cluster that is there already, evidence as of the local one."""
import os
import pathlib
import re
import signal
import subprocess
import time
import unittest

import bench
from bench import WithFolder
from regress.results import comparable, differences
from regress.slurm_cluster import PrivateCluster

TESTS = {"odd": {"scenario": "odd"}, "slow": {"scenario": "slow", "timeout_s": 1}, "killed": {"scenario": "killed"}}
PRIVATE = "no Slurm answers"


def supervisors():
    """{process id of a supervisor: that of its owner}."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if b"regress.slurm_cluster" in (path / "cmdline").read_bytes():
                found[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return found


def cluster_of(owner):
    """The folder of the private cluster of a process, once it is there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        ours = [pid for pid, parent in supervisors().items() if parent == owner]
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                found = re.search(rb"--socket=(\S+?)/munge.socket", (path / "cmdline").read_bytes())
                if parent in ours and found:
                    return found.group(1).decode()
            except OSError:
                continue
        time.sleep(0.05)
    raise AssertionError("no private cluster was started")


def users_of(folder):
    """Processes that have the folder among their arguments or in their environment."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if folder.encode() in (path / "cmdline").read_bytes() + (path / "environ").read_bytes():
                found.append((path / "cmdline").read_bytes())
        except OSError:
            continue
    return found


class Slurm(WithFolder):
    def gone(self, folder):
        deadline = time.monotonic() + 60
        while (os.path.exists(folder) or users_of(folder)) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual((os.path.exists(folder), users_of(folder)), (False, []))

    def test_private_and_configured_clusters_give_the_local_evidence(self):
        self.write_data(TESTS, seeds={"odd": 6})
        self.regress("all", status=1)
        local = self.evidence()
        self.assertEqual(local["counts"] | {"timeout": 1, "killed": 1, "expected failure": 1}, local["counts"])
        done = self.regress("all", "--launcher", "slurm", "-j", 4, status=1)
        self.assertIn(PRIVATE, done.stderr)
        self.assertEqual(self.evidence()["launcher"], "slurm")
        self.assertEqual(differences(comparable(local), comparable(self.evidence())), [])
        self.assertEqual(self.regress("compare", self.out / "regress-all", self.last()).returncode, 0)

        self.configured_cluster()
        done = self.regress("all", "--launcher", "slurm", "-j", 4, status=1)
        self.assertNotIn(PRIVATE, done.stderr)
        self.assertEqual(differences(comparable(local), comparable(self.evidence())), [])

    def configured_cluster(self):
        """A cluster that outlives the command."""
        cluster = PrivateCluster(2)
        self.addCleanup(cluster.stop)
        bench.ENVIRONMENT["SLURM_CONF"] = cluster.wait_until_ready()
        self.addCleanup(bench.ENVIRONMENT.pop, "SLURM_CONF")

    def queue(self, *wanted, without=()):
        """Waits until the queue holds tasks in just these states and none of `without`; its tasks."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            done = subprocess.run(["squeue", "--noheader", "--array", "--format=%A %T"], env=bench.ENVIRONMENT,
                                  capture_output=True, text=True)
            tasks = dict(line.split() for line in done.stdout.splitlines())
            if done.returncode == 0 and sorted(tasks.values()) == sorted(wanted) and not tasks.keys() & without:
                return tasks.keys()
            time.sleep(0.1)
        raise AssertionError(f"queue: {tasks}, expected {wanted} without {without}")

    def test_no_task_stays_in_the_queue_of_a_configured_cluster(self):
        self.configured_cluster()
        self.write_data({"slow": {"scenario": "slow", "timeout_s": 60}}, seeds=2)
        running = self.start("all", "--launcher", "slurm", "-j", 2)
        first = self.queue("RUNNING", "RUNNING")  # the canary is done
        running.kill()
        running.communicate()
        running = self.start("all", "--launcher", "slurm", "-j", 2, "--resume")
        self.queue("RUNNING", "RUNNING", without=first)
        os.killpg(running.pid, signal.SIGINT)
        running.communicate(timeout=60)
        self.queue()

    def test_compare_names_what_differs(self):
        self.write_data({"odd": {"scenario": "odd"}}, seeds=2)
        self.regress("all", status=1)
        self.regress("all", "--seed", 2, status=1)
        done = self.regress("compare", self.out / "regress-all", self.last(), status=1)
        self.assertIn("seed: 1 against 2", done.stdout)

    def test_ctrl_c_leaves_a_report_and_no_cluster(self):
        self.write_data({"good": {"scenario": "good"}, "slow": {"scenario": "slow", "timeout_s": 60}})
        running = self.start("all", "--launcher", "slurm", "-j", 3)
        folder = cluster_of(running.pid)
        log = self.out / "last_regression" / "runs.jsonl"
        while not log.exists() or log.read_bytes().count(b"\n") < 2:
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGINT)
        stdout, stderr = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 1, stdout + stderr)
        self.assertEqual(self.evidence()["problems"][0], "interrupted")
        self.assertEqual((os.path.exists(folder), users_of(folder)), (False, []))

    def test_a_killed_runner_leaves_no_cluster_and_is_continued(self):
        self.write_data({"short": {"scenario": "short"}}, seeds=4)
        running = self.start("all", "--launcher", "slurm", "-j", 2)
        folder = cluster_of(running.pid)
        log = self.out / "last_regression" / "runs.jsonl"
        while not log.exists() or log.read_bytes().count(b"\n") < 2:
            time.sleep(0.05)
        running.kill()
        running.communicate()
        self.gone(folder)
        kept = log.read_bytes().splitlines()
        self.regress("all", "--resume", "--launcher", "slurm", "-j", 4)
        self.assertEqual(log.read_bytes().splitlines()[:len(kept)], kept)
        self.assertEqual(self.evidence()["counts"]["passed"], 4)


if __name__ == "__main__":
    unittest.main()
