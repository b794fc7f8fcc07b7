# SPDX-License-Identifier: Apache-2.0
"""One run: started under its limits, waited for, judged. The same code on this machine and on a farm.

`python3 -m regress.execute PLAN INDEX` (what a farm job calls) leaves RUN/record.json.
"""
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import time

from .buckets import first_lines


def run_command(run, run_dir):
    """The command under its limits. A board finds its run directory through --out."""
    limits = ["setpriv", "--pdeathsig", "KILL", "prlimit", f"--as={run['memory_mib'] << 20}", "--core=0", "--"]
    return limits + run["command"] + (["--json", "--out", str(run_dir)] if run["board"] else [])


def execute(run, regression, root, started=None):
    """Runs it and returns its record. `started(process)` hears about the process, to end it."""
    run_dir = regression / "runs" / run["id"]
    run_dir.mkdir(parents=True, exist_ok=True)
    log_path = run_dir / "log"
    begin, timed_out = time.time(), False
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    with open(log_path, "wb") as log, open(run_dir / "stdout", "wb") as out:
        try:
            process = subprocess.Popen(run_command(run, run_dir), cwd=root, env=os.environ | run["env"],
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True)
        except OSError as error:
            return record(run, "not run", f"cannot be started: {error}", begin)
        if started:
            started(process)
        try:
            usage = wait(process, run["timeout_s"])
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(process.pid, signal.SIGKILL)
            usage = wait(process, None)
    text = log_path.read_text(errors="replace")
    output = (run_dir / "stdout").read_text(errors="replace")
    return judge(run, process.returncode, timed_out, text, output, begin,
                 usage.ru_maxrss if usage else before)


def wait(process, timeout):
    """Like Popen.wait, with the resource use of the process."""
    deadline = None if timeout is None else time.monotonic() + timeout
    delay = 0.002
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG if deadline else 0)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        if time.monotonic() > deadline:
            raise subprocess.TimeoutExpired(process.args, timeout)
        time.sleep(delay)
        delay = min(0.05, delay * 2)


def record(run, state, message, begin, **more):
    return {"id": run["id"], "kind": run["kind"], "test": run["test"], "seed": run["seed"], "owner": run["owner"],
            "state": state, "message": message, "repro": run["repro"], "checks": 0, "stimulus": None, "cycles": None,
            **more, "times": {"started": round(begin, 3), "wall_s": round(time.time() - begin, 3),
                              **more.get("times", {})}}


def judge(run, status, timed_out, text, output, begin, rss_kib):
    """End state from all that is known. Passed needs exit 0, a positive word, and checks > 0."""
    facts = board_facts(output) if run["board"] else ctest_facts(output)
    facts["times"] = {"rss_mib": round(rss_kib / 1024, 1), "cycles_per_s": facts.pop("speed", None)}
    message = first_lines(text if run["board"] else output)
    if timed_out:
        return record(run, "timeout", f"not finished after {run['timeout_s']} s\n{message}".strip(), begin, **facts)
    if status != 0 and "bad_alloc" in text:
        return record(run, "killed", f"needs more than {run['memory_mib']} MiB", begin, **facts)
    if status < 0:
        name = signal.Signals(-status).name
        return record(run, "killed", f"ended by {name}\n{message}".strip(), begin, **facts)
    if status == 0 and facts.pop("passed"):
        if facts["checks"] > 0:
            return record(run, "passed", "", begin, **facts)
        return record(run, "failed", "no checks were made", begin, **facts)
    facts.pop("passed", None)
    if status == 0:
        message = "exit status 0, but nothing says that it passed\n" + message
    return record(run, "failed", message.strip() or f"exit status {status}, and no word why", begin, **facts)


def board_facts(output):
    try:
        result = json.loads(output)
        return {"passed": result["status"] == "passed", "checks": int(result["commits_checked"]),
                "cycles": result["cycles"], "stimulus": result.get("program_hash"), "config": result["config"],
                "commit_hash": result["commit_hash"], "link_hash": result["link_hash"],
                "speed": round(result["cycles_per_s"], 1), "inject": result["metrics"].get("inject")}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"passed": False, "checks": 0}


def ctest_facts(output):
    """GoogleTest and unittest say how many; another program that passes is one check."""
    counts = [int(n) for n in re.findall(r"(?:\[  PASSED  \]|\bRan) (\d+) tests?\b", output)]
    passed = "100% tests passed, 0 tests failed out of 1" in output
    return {"passed": passed, "checks": sum(counts) if counts else int(passed)}


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
