# SPDX-License-Identifier: Apache-2.0
"""The live line: bar, failures so far, time left. On a terminal it redraws; in a log it prints now and then."""
import shutil
import statistics
import sys
import time

WIDTH = 24


def clock(seconds):
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    return f"{minutes}:{seconds:02d}"


class Progress:
    def __init__(self, total, expected, jobs, stream=sys.stderr, tests=None):
        """expected: seconds of each run still to come, by id, None where nobody knows: then those of the runs of
        its test, or of all tests, that have ended meanwhile; used for the time left. tests: the test of each id."""
        self.total, self.jobs, self.stream = total, max(1, jobs), stream
        self.left, self.tests = dict(expected), tests or {}
        self.ended, self.seconds = 0.0, {}  # seconds of the runs that ended: sum of what was expected, lists by test
        self.begin = self.last = time.monotonic()
        self.done = self.bad = 0
        self.name = ""  # the run that ended last
        self.terminal = stream.isatty()

    def eta(self):
        """Seconds, or None while there is nothing to tell them from."""
        unknown = [self.tests.get(name) for name, seconds in self.left.items() if seconds is None]
        if unknown and not self.seconds:
            return None
        everything = [s for found in self.seconds.values() for s in found]
        rest = sum(s for s in self.left.values() if s is not None) + sum(
            statistics.mean(self.seconds.get(test, everything)) for test in unknown)
        spent = time.monotonic() - self.begin
        # How fast it really goes corrects what was expected.
        return rest * spent / self.ended if self.ended > 0 and spent > 0 else max(0.0, rest / self.jobs - spent)

    def update(self, record, bad):
        self.done += 1
        expected, took = self.left.pop(record["id"], None), record["times"]["wall_s"]
        self.ended += took if expected is None else expected
        self.seconds.setdefault(record["test"], []).append(took)
        if bad:
            self.bad += 1
            self.note(f"{record['state']:8} {record['id']}: {(record['message'].splitlines() or [''])[0]}")
            if self.terminal:
                self.last = 0.0  # the note has taken the line's place
        self.name = record["id"]
        self.tick(self.done == self.total)

    def tick(self, must=False):
        """Draws if it is time: every second on a terminal, four times a minute in a log."""
        now = time.monotonic()
        if must or now - self.last >= (1 if self.terminal else 15):
            self.last = now
            self.draw()

    def draw(self):
        full = WIDTH * self.done // max(1, self.total)
        eta = self.eta()
        line = (f"[{'#' * full}{'.' * (WIDTH - full)}] {self.done}/{self.total}  {self.bad} failed  "
                f"{clock(time.monotonic() - self.begin)} gone, {'?' if eta is None else clock(eta)} left")
        if self.terminal:
            columns = shutil.get_terminal_size().columns  # a line that wraps cannot be drawn over
            self.stream.write(f"\r\x1b[K{line + '  ' + self.name:.{columns - 1}}")
        else:
            self.stream.write(line + "\n")
        self.stream.flush()

    def note(self, text):
        self.stream.write(("\r\x1b[K" if self.terminal else "") + text + "\n")

    def close(self):
        if self.terminal:
            self.stream.write("\n")
