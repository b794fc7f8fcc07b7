# SPDX-License-Identifier: Apache-2.0
"""Runs as array jobs of a Slurm cluster that shares this file system.

Each array task is `python3 -m regress.execute plan.json INDEX`; its record is a file in the run's
directory. A task that is gone without a record was killed (node lost, cancelled, out of memory).
"""
import json
import os
import pathlib
import subprocess
import time

from .errors import BAD_ENVIRONMENT, Refused
from .execute import record

CHUNK = 1000  # Slurm's default MaxArraySize is 1001
POLL_S = 0.5
GRACE_S = 5.0  # a task leaves squeue before its file is seen through a network file system


def slurm(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"--launcher slurm: {command[0]}: {error}", BAD_ENVIRONMENT) from None
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise Refused(f"--launcher slurm: {command[0]} failed: {reason}", BAD_ENVIRONMENT)
    return done.stdout


class SlurmLauncher:
    name = "slurm"

    def __init__(self, jobs):
        self.jobs = jobs
        self.job_ids = []

    def records(self, plan, indices, regression, root):
        for begin in range(0, len(indices), CHUNK):
            yield from self.array(plan, list(indices[begin:begin + CHUNK]), regression, root)

    def array(self, plan, indices, regression, root):
        script = regression / f"slurm.{indices[0]}.sh"
        scripts = pathlib.Path(__file__).resolve().parent.parent
        # Positions instead of indices as task numbers, so that the order of the plan is kept.
        script.write_text("#!/bin/bash\n"
                          f"indices=({' '.join(map(str, indices))})\n"
                          f"export PYTHONPATH='{scripts}'\n"
                          f"exec python3 -m regress.execute '{regression / 'plan.json'}' "
                          "${indices[$SLURM_ARRAY_TASK_ID]}\n")
        for index in indices:
            path = regression / "runs" / plan["runs"][index]["id"] / "record.json"
            path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
        (regression / "slurm").mkdir(exist_ok=True)
        limit = max(plan["runs"][i]["timeout_s"] for i in indices) // 60 + 2
        job = slurm("sbatch", "--parsable", f"--array=0-{len(indices) - 1}%{self.jobs}", f"--time={limit}",
                    "--job-name=dodeca", "--ntasks=1", "--cpus-per-task=1", f"--chdir={root}",
                    f"--output={regression}/slurm/%a.txt", str(script)).strip().split(";")[0]
        self.job_ids.append(job)
        waiting, gone_since, polls = dict(enumerate(indices)), {}, 0
        while waiting:
            for task, index in list(waiting.items()):
                path = regression / "runs" / plan["runs"][index]["id"] / "record.json"
                if path.exists():
                    del waiting[task]
                    yield json.loads(path.read_text())
            polls += 1
            if waiting and polls % 8 == 0:
                alive = self.alive(job)
                for task in [t for t in waiting if t not in alive]:
                    if time.time() - gone_since.setdefault(task, time.time()) > GRACE_S:
                        run = plan["runs"][waiting.pop(task)]
                        yield record(run, "killed", "its Slurm task ended without a record", time.time())
            if waiting:
                time.sleep(POLL_S)

    @staticmethod
    def alive(job):
        try:
            lines = slurm("squeue", "--noheader", "--array", "--jobs", job, "--format=%K").split()
        except Refused as error:
            if "Invalid job id" in str(error):  # all its tasks have left the queue
                return set()
            raise
        return {int(line) for line in lines if line.isdigit()}

    def stop(self):
        for job in self.job_ids:
            subprocess.run(["scancel", job], capture_output=True, timeout=60, env=os.environ)
