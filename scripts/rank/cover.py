# SPDX-License-Identifier: Apache-2.0
"""Greedy set cover: the run that adds most per second comes first. Sets are bits of whole numbers."""
import dataclasses
import math

SHARE = 0.99


@dataclasses.dataclass
class Goal:
    """Things to be seen (mutants, coverage points) and, of each run that sees some, the mask of what it sees."""
    name: str
    seen: dict

    def __post_init__(self):
        self.total = self.of_all(self.seen).bit_count()

    def of(self, run):
        return self.seen.get(run, 0)

    def of_all(self, runs):
        mask = 0
        for run in runs:
            mask |= self.of(run)
        return mask

    def share(self, mask):
        return round(mask.bit_count() / self.total, 4) if self.total else None

    def lacks(self, mask, share=SHARE):
        """How many more make the share full."""
        return max(0, math.ceil(share * self.total) - mask.bit_count())


def masks(sets):
    """{run: mask} of {run: names}."""
    number = {name: i for i, name in enumerate(set().union(*sets.values()))}
    found = {}
    for run, names in sets.items():
        bits = bytearray(len(number) // 8 + 1)
        for name in names:
            bits[number[name] // 8] |= 1 << number[name] % 8
        found[run] = int.from_bytes(bits, "little")
    return found


def ranked(goals, seconds):
    """Rows, best first: what each run sees, what of it the runs before did not, and the share seen until then. Until all
    goals have SHARE, only what is lacking there counts. Runs that add nothing have no row."""
    left, have, rows, spent = set(seconds), [0] * len(goals), [], 0.0
    while left:
        lacking = [goal.lacks(mask) for goal, mask in zip(goals, have)]

        def gain(run):
            new = [(goal.of(run) & ~mask).bit_count() for goal, mask in zip(goals, have)]
            counted = [min(n, lack) for n, lack in zip(new, lacking)] if any(lacking) else new
            return sum(n / goal.total for n, goal in zip(counted, goals) if goal.total)
        best = max(sorted(left), key=lambda run: gain(run) / max(seconds[run], 0.01))
        if not gain(best):
            break
        left.remove(best)
        spent += seconds[best]
        row = {"rank": len(rows) + 1, "run": best, "seconds": seconds[best], "cumulative_s": round(spent, 3)}
        for i, goal in enumerate(goals):
            new = goal.of(best) & ~have[i]
            have[i] |= new
            row[goal.name] = {"seen": goal.of(best).bit_count(), "per_s": round(goal.of(best).bit_count() / max(seconds[best], 0.01), 2),
                              "new": new.bit_count(), "cumulative": goal.share(have[i])}
        rows.append(row)
    return rows


def smallest(rows, goals, seconds):
    """A small set that sees SHARE of each goal: the first rows that do, without those that turn out to be needless,
    dearest first."""
    def enough(runs):
        return not any(goal.lacks(goal.of_all(runs)) for goal in goals)
    chosen = [row["run"] for row in rows]
    while chosen and enough(chosen[:-1]):
        chosen.pop()
    for run in sorted(chosen, key=lambda run: (-seconds[run], run)):
        rest = [other for other in chosen if other != run]
        chosen = rest if enough(rest) else chosen
    return chosen
