# SPDX-License-Identifier: Apache-2.0
"""A process that outlives a killed runner for a moment, and ends what it has left running.

It reads "+PID MARK" and "-PID MARK", runs that begin and end; the end of its input is the end of the runner.

A run is a process group, and whoever has its mark in the environment: children in sessions of their own, too.
"""
import contextlib
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import threading

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent


def script(*words):
    """The command that runs one of our scripts."""
    return [sys.executable, "-I", "-X", "utf8", str(SCRIPTS / "start.py"), *words]


MARK = "DODECA_RUN"


def new_mark():
    return secrets.token_hex(16)


def end_run(run):
    """Ends all processes of a run; there may be none any more."""
    pid, mark = run
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    while left := marked(mark):  # again, for those that were forked meanwhile
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def marked(mark):
    found, entry = [], f"{MARK}={mark}\0".encode()
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # another user's, or ended
            if entry in path.read_bytes():
                found.append(int(path.parent.name))
    return found


class Guard:
    """The runner's side."""

    def __init__(self):
        self.lock = threading.Lock()
        self.process = subprocess.Popen(script("regress.guard"), stdin=subprocess.PIPE, text=True, start_new_session=True)

    @contextlib.contextmanager
    def watch(self, run):
        """While this lasts, the run (process group, mark) ends with the runner."""
        words = " ".join(map(str, run))
        self.tell(f"+{words}")
        try:
            yield
        finally:
            self.tell(f"-{words}")

    def tell(self, line):
        with self.lock, contextlib.suppress(ValueError):  # closed: it has ended all runs
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def close(self):
        """Ends all runs that are under way."""
        with self.lock:
            self.process.stdin.close()
        self.process.wait()


def main():
    runs = set()
    for line in sys.stdin:
        pid, mark = line[1:].split()
        (runs.add if line[0] == "+" else runs.discard)((int(pid), mark))
    for run in runs:
        end_run(run)


if __name__ == "__main__":
    main()
