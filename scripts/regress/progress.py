# SPDX-License-Identifier: Apache-2.0
"""The live line: bar, failures so far, time left. On a terminal it redraws; in a log it prints now and then."""
import shutil
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
        self.name = ""  # the run that ended last
        self.terminal = stream.isatty()

    def eta(self):
        rest = sum(self.left.values())
        spent = time.monotonic() - self.begin
        finished = self.weight - rest
        # How fast it really goes corrects what was expected.
        return rest * spent / finished if finished > 0 and spent > 0 else max(0.0, rest / self.jobs - spent)

    def update(self, record, bad):
        self.done += 1
        self.left.pop(record["id"], None)
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
        line = (f"[{'#' * full}{'.' * (WIDTH - full)}] {self.done}/{self.total}  "
                f"{self.bad} failed  {clock(time.monotonic() - self.begin)} gone, {clock(self.eta())} left")
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
