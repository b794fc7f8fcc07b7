# SPDX-License-Identifier: Apache-2.0
"""A process that outlives a killed runner for a moment, and ends what it has left running.

It reads +PID and -PID, process groups that begin and end; the end of its input is the end of the runner.
"""
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent


def script(*words):
    """The command that runs one of our scripts."""
    return [sys.executable, "-I", "-X", "utf8", str(SCRIPTS / "start.py"), *words]


def end_group(pid):
    """Ends a process with its children; there may be none any more."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Guard:
    """The runner's side."""

    def __init__(self):
        self.lock = threading.Lock()
        self.process = subprocess.Popen(script("regress.guard"), stdin=subprocess.PIPE, text=True, start_new_session=True)

    @contextlib.contextmanager
    def watch(self, pid):
        """While this lasts, the group of that process ends with the runner."""
        self.tell(f"+{pid}")
        try:
            yield
        finally:
            self.tell(f"-{pid}")

    def tell(self, line):
        with self.lock, contextlib.suppress(ValueError):  # closed: it has ended all groups
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def close(self):
        """Ends all groups that are under way."""
        with self.lock:
            self.process.stdin.close()
        self.process.wait()


def main():
    groups = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for pid in groups:
        end_group(pid)


if __name__ == "__main__":
    main()
