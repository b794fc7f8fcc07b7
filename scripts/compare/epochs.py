# SPDX-License-Identifier: Apache-2.0
"""Two epochs.json (tb/check/epochs.h): in which epoch and stream two runs part, without their commits.

Points of both runs with as many commits and another hash: the lists part before. As many and the same hash: behind.
Cycles play no part in that, so it says as much of runs in which all came at other times.
"""
import json

from compare import BadInput
from compare.logs import Names

WHAT = {"writes": "writes", "semaphores": "semaphore updates"}
SHOWN = 8  # lists


class Epochs:
    def __init__(self, path):
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            self.cycles = int(table["epoch_cycles"])
            self.lists = {(tuple(map(int, entry["stream"])), entry["list"]): [tuple(map(int, point)) for point in entry["points"]]
                          for entry in table["lists"]}
            if any(len(stream) != 5 or of not in WHAT for stream, of in self.lists) or not all(
                    points and all(len(point) == 3 for point in points) for points in self.lists.values()):
                raise ValueError("a stream has 5 numbers and two lists, a point 3 numbers")
        except OSError as error:
            raise BadInput(f"{path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise BadInput(f"{path}: are no epochs of a run ({type(error).__name__}: {error})") from None

    def points(self, key):
        return self.lists.get(key, [])

    def span(self, key, low, high):
        """First and last core cycle of the epochs in which the commits from `low` to `high` came; None if there are none."""
        epochs = [epoch for epoch, made, _ in self.points(key) if made > low]
        upto = [epoch for epoch, made, _ in self.points(key) if made >= high]
        if not epochs or not self.cycles:
            return None
        return [epochs[0] * self.cycles, ((upto or epochs[-1:])[0] + 1) * self.cycles - 1]

    def when(self, key, low, high):
        """The same in words."""
        if not any(made > low for _, made, _ in self.points(key)):
            return "has none of them"
        span = self.span(key, low, high)
        return f"core cycles {span[0]} .. {span[1]}" if span else "golden model"


def parted(a, b):
    """(low, high, sure) if two lists of points part: their first `low` commits are equal, not their first `high`. Not
    sure: one goes on where the other ends, and all that is known of what both have is equal."""
    hashes, low = {made: text for _, made, text in b}, 0
    for _, made, text in a:
        if made in hashes and hashes[made] != text:
            return low, made, True
        if made in hashes:
            low = made
    ends = [points[-1][1] if points else 0 for points in (a, b)]
    return (low, min(ends) + 1, False) if ends[0] != ends[1] else None


def shifted(a, b):
    """(epoch, commits of A, commits of B) at the end of the first epoch in which as much was not done; None."""
    x, y = ({epoch: made for epoch, made, _ in points} for points in (a, b))
    done = [0, 0]
    for epoch in sorted(x.keys() | y.keys()):
        done = [side.get(epoch, before) for side, before in zip((x, y), done)]
        if done[0] != done[1]:
            return epoch, *done
    return None


def contents(a, b, keys, names):
    """The lists that can have parted first: by the end of the epoch in which one had for sure. A run that fails ends, and
    with it lists that did nothing wrong: they count only if no other does."""
    found = [(key, *parts) for key in keys if (parts := parted(a.points(key), b.points(key)))]
    if not found:
        return []
    sure = [row for row in found if row[3]]
    rows = []
    for key, low, high, _ in sure or found:
        spans = [side.span(key, low, high) for side in (a, b)]
        known = [span for span in spans if span] or [[0, 0]]
        rows.append({"stream": names.stream(key[0]), "list": key[1], "from": low, "to": high - 1, "cycles_a": spans[0],
                     "cycles_b": spans[1], "begin": min(s[0] for s in known), "end": min(s[1] for s in known),
                     "text": f"{names.stream(key[0])}, {WHAT[key[1]]} {low} .. {high - 1}: A {a.when(key, low, high)}, "
                             f"B {b.when(key, low, high)}"})
    end = min(row["end"] for row in rows)
    first = sorted((row for row in rows if row["begin"] <= end), key=lambda row: row["end"])
    begin = min(row["begin"] for row in first)
    lines = [row["text"] for row in first[:SHOWN]] + [f"and {len(first) - SHOWN} more"] * (len(first) > SHOWN)
    lines.append(f"{len(sure)} of {len(keys)} lists part, {len(found) - len(sure)} end where the other run goes on; "
                 "which commit: run both with --commit-log FILE")
    title = "contents first part" if sure else "one run goes on where the other ends, first"
    return [{"of": "contents", "begin": begin, "end": end, "streams": first, "part": len(sure), "end_early": len(found) - len(sure),
             "text": "\n  ".join([title + (f" in core cycles {begin} .. {end}" if end else ""), *lines])}]


def times(a, b, keys, names):
    """The first epoch in which a list got further in one run, of runs with the same contents."""
    found = [(*moved, key) for key in keys if (moved := shifted(a.points(key), b.points(key)))]
    if not found or not (a.cycles and b.cycles):
        return []
    epoch, x, y, key = min(found, key=lambda f: (f[0], f[3]))
    begin, end = epoch * a.cycles, (epoch + 1) * a.cycles - 1
    return [{"of": "times", "stream": names.stream(key[0]), "list": key[1], "cycles": [begin, end], "a": x, "b": y,
             "lists": len(found),
             "text": f"the same commits at other times, first in core cycles {begin} .. {end}: {names.stream(key[0])} has "
                     f"made {x} and {y} {WHAT[key[1]]}\n"
                     f"  {len(found)} of {len(keys)} lists moved"}]


def compare(path_a, path_b):
    a, b = Epochs(path_a), Epochs(path_b)
    if a.cycles != b.cycles and a.cycles and b.cycles:
        raise BadInput(f"{path_b}: epoch_cycles is {b.cycles}; allowed {a.cycles}, as in {path_a}")
    keys, names = sorted(a.lists.keys() | b.lists.keys()), Names()
    return contents(a, b, keys, names) or times(a, b, keys, names)
