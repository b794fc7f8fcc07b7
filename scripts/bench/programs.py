# SPDX-License-Identifier: Apache-2.0
"""The programs that measure, and what they cost."""
import json
import pathlib
import resource
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/bin"


class BenchError(Exception):
    """A program that had to succeed did not."""
    status = 1


def run_json(*command, statuses=(0,), stderr=subprocess.PIPE):
    """Runs a program that prints one JSON document; any status but `statuses` is an error."""
    done = subprocess.run([str(c) for c in command], cwd=ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True)
    if done.returncode not in statuses:
        raise BenchError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{(done.stderr or '').strip()}")
    return done.returncode, json.loads(done.stdout)


def board(config, out, *options, statuses=(0,)):
    return run_json(BUILD / f"board_{config}", *options, "--json", "--out", out, statuses=statuses)


def figures(tests):
    """What unit tests measure, each in a cycle-exact bench of its own: rows of {program: which of its tests}."""
    rows = []
    with tempfile.TemporaryDirectory() as out:
        for name, which in tests.items():
            path = pathlib.Path(out) / f"{name}.json"
            done = subprocess.run([BUILD / name, f"--gtest_filter={which}", f"--gtest_output=json:{path}"], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            suites = json.loads(path.read_text())["testsuites"] if path.exists() else ()
            tests_run = [test for suite in suites for test in suite["testsuite"]]
            found = [json.loads(value) for test in tests_run for key, value in test.items() if key.startswith("figure: ")]
            missed = [row["name"] for row in found if not row["met"]]
            failures = [failure["failure"] for test in tests_run for failure in test.get("failures", ())]
            if not found or done.returncode not in (0, 1) or not all(any(m in text for m in missed) for text in failures):
                raise BenchError(f"{name}: exit {done.returncode}\n{done.stdout.strip()}")
            rows += found
    return rows


def cpu_seconds(config, out, *options):
    """User and system time of a run and of the copies of it: wall time is the machine's as well."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    board(config, out, *options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
