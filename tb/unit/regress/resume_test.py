#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A regression that is killed, interrupted, or runs out of disk: nothing that was finished is lost."""
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import time
import unittest

from bench import BOARD, ENVIRONMENT, ROOT, WithFolder
from regress.results import comparable, differences


class Resume(WithFolder):
    TESTS = {"odd": {"scenario": "odd"}, "short": {"scenario": "short"}}

    def log_lines(self):
        """Whole lines of runs.jsonl; the last one may be torn."""
        path = self.last() / "runs.jsonl"
        return path.read_bytes().splitlines(keepends=True) if path.exists() else []

    def test_kills_at_random_points_lose_nothing_that_was_finished(self):
        self.write_data(self.TESTS, seeds={"odd": 12, "short": 24})
        begin = time.monotonic()
        self.regress("all", "-j", 2, status=1)
        whole, span = self.evidence(), time.monotonic() - begin
        shutil.rmtree(self.out)
        rng, kept = random.Random(), 0
        for _ in range(5):
            started = (self.out / "last_regression" / "plan.json").exists()
            before = [line for line in self.log_lines() if line.endswith(b"\n")] if started else []
            running = self.start("all", "-j", 2, *(["--resume"] if started else []))
            time.sleep(rng.uniform(0.1, span / 2))
            running.kill()  # not its group: its runs must go with it all the same
            running.communicate()
            if started:
                self.assertEqual(self.log_lines()[:len(before)], before, "finished runs are kept as they were")
                kept = len(before)
        started = (self.out / "last_regression" / "plan.json").exists()  # not on a machine that is slow enough
        self.regress("all", "-j", 2, *(["--resume"] if started else []), status=1)
        ids = [json.loads(line)["id"] for line in self.log_lines()]
        self.assertEqual(len(ids), len(set(ids)), "nothing that was finished ran twice")
        self.assertEqual(len(ids), len(whole["runs"]), kept)
        self.assertEqual(differences(comparable(self.evidence()), comparable(whole)), [])

    def test_a_torn_last_line_is_not_a_run(self):
        self.write_data(self.TESTS, seeds=2)
        self.regress("all", status=1)
        whole, lines = self.evidence(), self.log_lines()
        for cut in (lines[-1][:-1], b"\0" * 99, b'{"id": "odd.\n', b"7\n"):
            (self.last() / "runs.jsonl").write_bytes(b"".join(lines[:-1]) + cut)
            self.regress("all", "--resume", status=1)
            self.assertEqual(self.log_lines()[:-1], lines[:-1])
            self.assertEqual(len([json.loads(line) for line in self.log_lines()]), len(lines), "all lines are whole")
            self.assertEqual(differences(comparable(self.evidence()), comparable(whole)), [])

    def test_ctrl_c_leaves_a_report_and_no_process(self):
        self.write_data({"good": {"scenario": "good"}, "slow": {"scenario": "slow", "timeout_s": 60}}, seeds=2)
        running = self.start("all", "-j", 4)
        log = self.out / "last_regression" / "runs.jsonl"
        while not log.exists() or len(log.read_bytes().splitlines()) < 3:
            time.sleep(0.05)
        while running.poll() is None and not (self.last() / "report.html").exists():
            os.killpg(running.pid, signal.SIGINT)  # as a terminal does; and the impatient press it again and again
            time.sleep(0.01)
        stdout, stderr = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 1, stdout + stderr)
        evidence = self.evidence()
        self.assertEqual((evidence["problems"][0], evidence["counts"]["not run"], evidence["counts"]["passed"]),
                         ("interrupted", 2, 2))
        self.assertIn("interrupted", (self.last() / "report.html").read_text())
        self.assertNotIn("Traceback", stderr)
        self.assertEqual(self.left_running(), "")

    def test_a_killed_runner_takes_its_runs_and_their_children_with_it(self):
        self.write_data({"slow": {"scenario": "slow", "timeout_s": 60}}, seeds=2)
        running = self.start("all", "-j", 2)
        while self.left_running().count("sleep") < 4:
            time.sleep(0.05)
        running.kill()
        running.communicate()
        deadline = time.monotonic() + 10
        while self.left_running() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(self.left_running(), "")

    def test_another_tree_or_program_is_refused(self):
        program, tree = self.folder / "board.sh", self.folder / "tree"
        shutil.copy(ROOT / BOARD, program)
        self.environment = ENVIRONMENT | {"GIT_DIR": str(tree / ".git"), "GIT_WORK_TREE": str(tree)}

        def git(*words):
            subprocess.run(["git", "-c", "user.name=me", "-c", "user.email=me@here", *words], cwd=tree, env=self.environment,
                           check=True, capture_output=True)
        tree.mkdir()
        (tree / "file").write_text("one\n")
        for words in (["init"], ["add", "file"], ["commit", "-m", "first"]):
            git(*words)
        self.write_data({"good": {"scenario": "good"}})
        suites = self.data / "suites.toml"
        suites.write_text(suites.read_text().replace(BOARD, str(program)))
        self.regress("all")
        plan = json.loads((self.last() / "plan.json").read_text())
        self.assertEqual(list(plan["programs"]), [str(program)])
        for change in ("edited", "committed"):
            (tree / "file").write_text("two\n")
            if change == "committed":
                git("commit", "-am", "second")
            self.refused("all", "--resume", says=("was begun at revision " + plan["revision"]["commit"][:12], "same tree only"))
            git("reset", "--hard", plan["revision"]["commit"])
        self.regress("all", "--resume")
        program.write_text(program.read_text() + "# changed\n")
        self.refused("all", "--resume", says=("was begun with another", str(program), "same programs only"))

    def test_an_older_one_is_continued_and_that_of_another_suite_refused(self):
        self.write_data({"good": {"scenario": "good"}})
        self.regress("all")
        first = self.last()
        self.regress("all")
        lines = self.log_lines()
        (first / "runs.jsonl").unlink()
        self.regress("all", "--resume", first)
        self.assertEqual(self.last(), first, "what ran last is the last")
        self.assertEqual(len(self.log_lines()), len(lines))
        suites = self.data / "suites.toml"
        suites.write_text(suites.read_text().replace("suite.all", "suite.some"))
        self.refused("some", "--resume", says=("is a regression of 'all', not of 'some'",))


class DiskFull(WithFolder):
    def check(self, done, make_room):
        """It stopped in the middle; what is done is readable, and goes on when there is room."""
        self.assertIn("what is finished is kept, continue it with: scripts/dodeca regress all --resume", done)
        self.assertNotIn("Traceback", done)
        log = (self.last() / "runs.jsonl").read_text().splitlines()
        # Two at once: the canary, which has to fail, may be written down behind the first run.
        runs = [run for run in map(json.loads, log) if run["kind"] != "canary"]
        states = [run["state"] for run in runs]
        self.assertGreater(states.count("passed"), 2)
        self.assertEqual(set(states), {"passed"}, f"what a full disk did to a run is not its failure: {runs}")
        make_room()
        self.regress("report", self.last(), status=1)
        self.assertEqual(self.evidence()["counts"]["passed"], states.count("passed"))
        self.regress("all", "--resume")
        self.assertEqual((self.last() / "runs.jsonl").read_text().splitlines()[:len(log)], log)
        self.assertEqual(self.evidence()["counts"]["passed"], 30)

    def test_the_record_cannot_grow(self):
        self.write_data({"short": {"scenario": "short"}}, seeds=30)
        running = self.start("all", "-j", 1)
        log = self.out / "last_regression" / "runs.jsonl"
        while not log.exists() or log.read_bytes().count(b"\n") < 4:
            time.sleep(0.02)
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 900,) * 2)
        stdout, stderr = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 3, stdout + stderr)
        self.check(stderr, make_room=lambda: None)

    def mount(self):
        self.out.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", self.out], capture_output=True).returncode:
            self.skipTest("needs to mount a small file system")
        self.addCleanup(subprocess.run, ["umount", "-l", self.out])

    def test_the_disk_is_full(self):
        self.mount()
        self.write_data({"wide": {"scenario": "wide"}}, seeds=30)  # 50 kB each
        self.check(self.regress("all", status=3).stderr,
                   make_room=lambda: subprocess.run(["mount", "-o", "remount,size=50m", self.out], check=True))

    def test_no_room_for_the_plan(self):
        self.mount()
        self.write_data({"good": {"scenario": "good"}})
        subprocess.run(["dd", "if=/dev/zero", f"of={self.out}/filler"], capture_output=True)
        self.refused("all", status=3, says=("No space left on device",))


if __name__ == "__main__":
    unittest.main()
