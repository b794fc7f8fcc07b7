# SPDX-License-Identifier: Apache-2.0
"""Build once, before anything runs; and what was built: scenarios of the boards, CTest's tests, digests."""
import hashlib
import json
import pathlib
import subprocess
import sys


def build(root, targets):
    """Builds each target; {target: first line of the error} of those that failed."""
    errors, wanted = {}, sorted(t for t in targets if t)
    if not wanted:
        return errors
    command = [root / "scripts/dodeca", "build"]
    if subprocess.run([*command, *wanted], stdout=sys.stderr).returncode == 0:
        return errors
    for target in wanted:  # which of them?
        done = subprocess.run([*command, target], capture_output=True, text=True, errors="replace")
        if done.returncode != 0:
            lines = [x for x in (done.stdout + done.stderr).splitlines() if x.strip() and not x.startswith("+ ")]
            telling = [x for x in lines if "error:" in x.lower()] or [x for x in lines if "error" in x.lower() or "FAILED" in x]
            errors[target] = (telling or lines or [f"exit status {done.returncode}"])[0].strip()
    return errors


def said(root, path, word):
    """What a board program prints for `list` or `bins`, or None where it cannot be asked: it may be half linked."""
    try:
        done = subprocess.run([root / path, word], cwd=root, capture_output=True, text=True, errors="replace", timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def scenarios(root, path):
    """Names that a board program knows, or None."""
    text = said(root, path, "list")
    return None if text is None else [line.split()[0] for line in text.splitlines() if line.strip()]


def check_scenarios(root, suites, tests):
    """Every scenario that the tests name must be known to its board program."""
    known = {}
    for test in (suites.tests[name] for name in tests):
        if test.scenario:
            names = known.setdefault(test.program, scenarios(root, suites.programs[test.program].path))
            if names is not None and test.scenario not in names:
                suites.file.refuse(f"test.{test.name}", "scenario", f"{test.program} knows no scenario called "
                                   f"{test.scenario!r}; allowed {', '.join(names)}")


def ctest_programs(root):
    """{name of a CTest test: its executable, once it is built}, or None where CTest cannot be asked."""
    if not (root / "build/CTestTestfile.cmake").exists():
        return None
    done = subprocess.run(["ctest", "--test-dir", "build", "--show-only=json-v1"], cwd=root, capture_output=True, text=True)
    try:
        return {t["name"]: t.get("command", [None])[0] for t in json.loads(done.stdout)["tests"]}
    except (ValueError, KeyError):
        return None


def check_ctest(root, suites):
    """Every CTest test that the suites name must exist, where CTest can be asked."""
    wanted = [test for test in suites.tests.values() if test.ctest]
    names = ctest_programs(root) if wanted else None
    for test in wanted if names is not None else ():
        if test.ctest not in names:
            suites.file.refuse(f"test.{test.name}", "ctest", f"CTest knows no test called {test.ctest!r}")


def check_bins(root, testplan):
    """Every coverage entry of the testplan must be a bin of the board, where that can be asked."""
    text = said(root, "build/bin/board_mini", "bins")
    if text is not None:
        testplan.check_coverage(text.split())


def programs_of(root, suites, runs):
    """{path: 16 digits of the SHA-256} of the programs that the runs start; "absent" where there is none."""
    tests = [suites.tests[name] for name in {run["test"] for run in runs}]
    of_ctest = (ctest_programs(root) if any(t.ctest for t in tests) else None) or {}
    built = {of_ctest.get(t.ctest) or "" for t in tests if t.ctest}  # else an interpreter, or nothing yet
    paths = {run["command"][0] for run in runs if run["board"]}
    paths |= {str(pathlib.Path(p).relative_to(root)) for p in built if pathlib.Path(p).is_relative_to(root / "build")}
    found = {}
    for path in sorted(paths):
        try:
            found[path] = hashlib.sha256((root / path).read_bytes()).hexdigest()[:16]
        except OSError:
            found[path] = "absent"
    return found
