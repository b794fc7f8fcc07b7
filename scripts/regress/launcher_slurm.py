# SPDX-License-Identifier: Apache-2.0
"""Runs as array jobs of a Slurm cluster that shares this file system.

Each array task is `regress.execute plan.json INDEX`; its record is a file in the run's
directory. A task that is gone without a record was killed (node lost, cancelled, out of memory).
Where no controller answers, a private one-node Slurm is started for the regression.
"""
import os
import shlex
import subprocess
import sys
import time

from .errors import BAD_ENVIRONMENT, Refused
from .execute import record
from .guard import script
from .results import read_record
from .slurm_cluster import PrivateCluster
from .untrusted import read

CHUNK = 1000  # Slurm's default MaxArraySize is 1001
POLL_S = 0.25
ALIVE_S = 4.0  # how often squeue is asked
GRACE_S = 5.0  # a task leaves squeue before its file is seen through a network file system
PATIENCE_S = 300.0  # a controller may restart meanwhile


class SlurmLauncher:
    name = "slurm"

    def __init__(self, jobs):
        self.jobs = jobs
        self.cluster, self.environment = None, dict(os.environ)
        self.job_file = None

    def records(self, plan, indices, regression, root):
        """Yields the record of each run as it ends, None now and then meanwhile; at most `jobs` are under way."""
        if not indices:
            return
        self.connect()
        (regression / "slurm").mkdir(exist_ok=True)
        self.job_file = regression / "slurm" / "jobs"
        self.cancel()  # what an earlier part of this regression (before --resume) left in the queue
        for begin in range(0, len(indices), CHUNK):
            yield from self.array(plan, list(indices[begin:begin + CHUNK]), regression, root)

    def connect(self):
        """To the cluster that is configured, or to a private one."""
        try:
            self.slurm("scontrol", "ping")
        except Refused as why:
            print(f"regress: no Slurm answers ({str(why).removeprefix('--launcher slurm: ')}): a private one runs on "
                  "this machine until the regression ends", file=sys.stderr)
            self.cluster = PrivateCluster(self.jobs)
            self.environment["SLURM_CONF"] = self.cluster.wait_until_ready()

    def slurm(self, *command):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=self.environment)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Refused(f"--launcher slurm: {command[0]}: {error}", BAD_ENVIRONMENT) from None
        if done.returncode != 0:
            lines = [x for x in (done.stdout + done.stderr).splitlines() if x.strip() and not x.startswith("*")]
            reason = (lines or [f"{command[0]} gave exit status {done.returncode}"])[-1]
            raise Refused(f"--launcher slurm: {reason.strip()}", BAD_ENVIRONMENT)
        return done.stdout

    def array(self, plan, indices, regression, root):
        records = {}
        for task, index in enumerate(indices):
            path = regression / "runs" / plan["runs"][index]["id"] / "record.json"
            path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            records[task] = path
        job = self.submit(plan, indices, regression, root)
        gone_since, asked = {}, time.monotonic()
        while records:
            for task, path in list(records.items()):
                if path.exists():
                    del records[task]
                    yield self.record_of(plan["runs"][indices[task]], path)
            now = time.monotonic()
            if now - asked > ALIVE_S:
                asked, alive = now, self.alive(job)
                for task in [t for t in records if t not in alive]:
                    if now - gone_since.setdefault(task, now) > GRACE_S:
                        del records[task]
                        run = plan["runs"][indices[task]]
                        yield record(run, "killed", "its Slurm task ended without a record", time.time())
            if records:
                time.sleep(POLL_S)
                yield None

    @staticmethod
    def record_of(run, path):
        try:
            found = read_record(read(path))
            if found["id"] != run["id"]:
                raise ValueError(f"it is one of {found['id']}")
            return found
        except ValueError as error:
            return record(run, "failed", f"its record cannot be read: {error}", time.time())

    def submit(self, plan, indices, regression, root):
        """The job's number. Partition, account and the like are the user's: SBATCH_PARTITION, ..."""
        batch = regression / "slurm" / f"{indices[0]}.sh"
        # Positions instead of indices as task numbers, so that the order of the plan is kept.
        batch.write_bytes(os.fsencode(
            f"#!/bin/bash\nindices=({' '.join(map(str, indices))})\n"
            f"exec {shlex.join(script('regress.execute', str(regression / 'plan.json')))} "
            "${indices[$SLURM_ARRAY_TASK_ID]}\n"))
        limit = max(plan["runs"][i]["timeout_s"] for i in indices) // 60 + 2
        job = self.slurm("sbatch", "--parsable", f"--array=0-{len(indices) - 1}%{self.jobs}", f"--time={limit}",
                         "--job-name=dodeca", "--ntasks=1", "--cpus-per-task=1", f"--chdir={root}",
                         f"--output={regression}/slurm/%a.txt", str(batch)).strip().split(";")[0]
        with open(self.job_file, "a", encoding="ascii") as file:
            file.write(job + "\n")
        return job

    def alive(self, job):
        """Tasks of the job that are waiting or running."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                lines = self.slurm("squeue", "--noheader", "--array", "--jobs", job, "--format=%K").split()
                return {int(line) for line in lines if line.isdigit()}
            except Refused as error:
                if "Invalid job id" in str(error):  # all its tasks have left the queue
                    return set()
                if time.monotonic() > deadline:
                    raise
                time.sleep(ALIVE_S)

    def cancel(self):
        """Takes the jobs of this regression out of the queue of a cluster that outlives it."""
        if self.job_file and self.job_file.exists() and not self.cluster:
            jobs = self.job_file.read_text(encoding="ascii").split()
            subprocess.run(["scancel", *jobs], capture_output=True, timeout=60, env=self.environment)

    def stop(self):
        """Ends what is under way."""
        self.cancel()
        if self.cluster:
            self.cluster.stop()
            self.cluster = None
