# SPDX-License-Identifier: Apache-2.0
"""One run: started under its limits, waited for, judged. The same code on this machine and on a farm.

`scripts/start.py regress.execute PLAN INDEX` (what a farm job calls) leaves RUN/record.json.
"""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from .buckets import divergence, first_lines
from .guard import MARK, end_run, new_mark
from .untrusted import MOST_BYTES, parse, shortened, signal_name, take

# What programs, their threads and their loader say when they are refused memory. The limit is one of the
# address space: the kernel ends nobody, it refuses, and a program that is refused says so and ends itself.
NO_MEMORY = re.compile(r"bad_alloc|cannot allocate memory|MemoryError|out of memory|resource temporarily unavailable"
                       r"|failed to map segment|failed to allocate", re.I)
# CTest's word for the end of a test that did not end itself.
CTEST_TIMEOUT = re.compile(r"\*\*\*Timeout")
CTEST_KILLED = re.compile(r"\.([A-Z][a-z ]+)?\*\*\*Exception: ([A-Z]\w+)?")


def run_command(run, run_dir):
    """The command under its limits. A board finds its run directory through --out."""
    limits = ["setpriv", "--pdeathsig", "KILL", "prlimit", f"--as={run['memory_mib'] << 20}", "--core=0", "--"]
    return limits + run["command"] + (["--json", "--out", str(run_dir)] if run["board"] else [])


def execute(run, regression, root, watch=contextlib.nullcontext):
    """Runs it and returns its record. In `watch(pid)` somebody sees to it that the process does not outlive us."""
    run_dir = regression / "runs" / run["id"]
    run_dir.mkdir(parents=True, exist_ok=True)
    begin, cut, mark = time.time(), None, new_mark()
    with open(run_dir / "log", "w+b") as log, open(run_dir / "stdout", "w+b") as out:
        try:
            process = subprocess.Popen(run_command(run, run_dir), cwd=root, env=os.environ | run["env"] | {MARK: mark},
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True)
        except OSError as error:
            return record(run, "not run", f"cannot be started: {error}", begin)
        try:
            with watch((process.pid, mark)):
                usage = wait(process, run["timeout_s"], (log, out))
        except Cut as ended:
            cut = ended
            end_run((process.pid, mark))
            usage = wait(process, None)
        finally:
            end_run((process.pid, mark))  # what it has left behind
        text, output = map(printed, (log, out))
    done = judge(run, process.returncode, cut, text, output, begin, usage)
    return done | ({"divergence": place} if (place := divergence(run_dir)) else {})


class Cut(Exception):
    """Ended by us: the state of the run, and why."""

    def __init__(self, state, why):
        super().__init__(why)
        self.state = state


def printed(file):
    """What a job has printed, up to the limit; no more of it stays on the disk."""
    if os.fstat(file.fileno()).st_size > MOST_BYTES:
        os.ftruncate(file.fileno(), MOST_BYTES)
    file.seek(0)
    return file.read().decode(errors="replace")


def wait(process, timeout, files=()):
    """Like Popen.wait, with the resource use of the process; Cut if it needs too long or prints too much."""
    deadline = None if timeout is None else time.monotonic() + timeout
    delay = 0.002
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG if deadline else 0)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        if time.monotonic() > deadline:
            raise Cut("timeout", f"not finished after {timeout} s")
        if any(os.fstat(file.fileno()).st_size > MOST_BYTES for file in files):
            raise Cut("killed", f"printed more than {MOST_BYTES >> 20} MiB")
        time.sleep(delay)
        delay = min(0.05, delay * 2)


def record(run, state, message, begin, **more):
    return {"id": run["id"], "kind": run["kind"], "test": run["test"], "seed": run["seed"], "owner": run["owner"],
            "state": state, "message": shortened(message), "repro": run["repro"], "checks": 0, "stimulus": None, "cycles": None,
            **more, "times": {"started": round(begin, 3), "wall_s": round(time.time() - begin, 3),
                              **more.get("times", {})}}


def judge(run, status, cut, text, output, begin, usage):
    """End state from all that is known. Passed needs exit 0, a positive word, and checks > 0."""
    facts = board_facts(output) if run["board"] else ctest_facts(output)
    facts["times"] = {"rss_mib": round(usage.ru_maxrss / 1024, 1), "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
                      "cycles_per_s": facts.pop("speed", None)}
    passed, ended_by, unreadable = facts.pop("passed"), facts.pop("ended_by", None), facts.pop("unreadable", "")
    words = first_lines(text if run["board"] else output)

    def end(state, message):
        return record(run, state, message.strip(), begin, **facts)

    if cut:
        return end(cut.state, f"{cut}\n{words}")
    if status != 0 and ended_by == "timeout":
        return end("timeout", f"not finished in the time that CTest gives it\n{words}")
    if status != 0 and NO_MEMORY.search(text + output):
        return end("killed", f"needs more memory than its limit of {run['memory_mib']} MiB\n{words}")
    if status < 0:
        return end("killed", f"ended by {signal_name(-status)}\n{words}")
    if status != 0 and ended_by:
        return end("killed", f"ended by {ended_by}\n{words}")
    if status != 0:
        return end("failed", words or f"exit status {status}, and no word why")
    if not passed:
        return end("failed", f"exit status 0, but nothing says that it passed{unreadable}\n{words}")
    return end("passed", "") if facts["checks"] > 0 else end("failed", "no checks were made")


def board_facts(output):
    try:
        result = parse(output)
        facts = take(result, {"status": str, "commits_checked": int, "cycles": int, "config": str, "commit_hash": str,
                              "link_hash": str, "cycles_per_s": (int, float), "program_hash": (str, type(None)),
                              "metrics": dict})
        inject = take(facts.pop("metrics"), {"inject": (dict, type(None))})["inject"]
        return {"passed": facts.pop("status") == "passed", "checks": facts.pop("commits_checked"),
                "stimulus": facts.pop("program_hash"), "speed": round(facts.pop("cycles_per_s"), 1),
                "inject": inject and take(inject, {"outcome": str}), **facts}
    except ValueError as error:
        return {"passed": False, "checks": 0, "unreadable": f": its result cannot be read, {error}" if output else ""}


def ctest_facts(output):
    """GoogleTest and unittest say how many; another program that passes is one check. A test that drew its
    stimulus from DODECA_SEED says so (tb/base/seed.h)."""
    counts = [int(n) for n in re.findall(r"^\d+: (?:\[  PASSED  \]|Ran) (\d{1,9}) tests?\b", output, re.M)]
    passed = "100% tests passed, 0 tests failed out of 1" in output
    stimulus = re.search(r"^\d+: stimulus ([0-9a-f]+)$", output, re.M)
    killed = CTEST_KILLED.search(output)
    return {"passed": passed, "checks": sum(counts) if counts else int(passed),
            "stimulus": stimulus.group(1) if stimulus else None,
            "ended_by": "timeout" if CTEST_TIMEOUT.search(output) else
                        (killed.group(1) or killed.group(2)) if killed else None}


def main():
    plan_path, index = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    plan = json.loads(plan_path.read_text())
    run = plan["runs"][index]
    done = execute(run, plan_path.parent, pathlib.Path(plan["root"]))
    path = plan_path.parent / "runs" / run["id"] / "record.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(done))
    part.rename(path)


if __name__ == "__main__":
    main()
