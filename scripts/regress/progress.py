# SPDX-License-Identifier: Apache-2.0
"""The live line: bar, failures so far, time left. On a terminal it redraws; in a log it prints now and then."""
import sys
import time

WIDTH = 24


def clock(seconds):
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    return f"{minutes}:{seconds:02d}"


class Progress:
    def __init__(self, total, expected, jobs, stream=sys.stderr):
        """expected: seconds of each run still to come, by id; used for the time left."""
        self.total, self.jobs, self.stream = total, max(1, jobs), stream
        self.left = dict(expected)
        self.weight = sum(self.left.values()) or 1.0
        self.begin = self.last = time.monotonic()
        self.done = self.bad = 0
        self.terminal = stream.isatty()

    def eta(self):
        rest = sum(self.left.values())
        spent = time.monotonic() - self.begin
        finished = self.weight - rest
        # How fast it really goes corrects what was expected.
        return rest * spent / finished if finished > 0 and spent > 0 else rest / self.jobs

    def update(self, record, bad):
        self.done += 1
        self.left.pop(record["id"], None)
        if bad:
            self.bad += 1
            self.note(f"{record['state']:8} {record['id']}: {(record['message'].splitlines() or [''])[0]}")
        now = time.monotonic()
        if self.terminal or now - self.last >= 15 or self.done == self.total:
            self.last = now
            self.draw(record["id"])

    def draw(self, name):
        full = WIDTH * self.done // max(1, self.total)
        line = (f"[{'#' * full}{'.' * (WIDTH - full)}] {self.done}/{self.total}  "
                f"{self.bad} failed  {clock(time.monotonic() - self.begin)} gone, {clock(self.eta())} left")
        if self.terminal:
            self.stream.write(f"\r\x1b[K{line}  {name[:40]}")
        else:
            self.stream.write(line + "\n")
        self.stream.flush()

    def note(self, text):
        self.stream.write(("\r\x1b[K" if self.terminal else "") + text + "\n")

    def close(self):
        if self.terminal:
            self.stream.write("\n")
