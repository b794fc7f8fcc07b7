# SPDX-License-Identifier: Apache-2.0
"""Which mutants: the files by their share of the places that can be changed, the rest by a seed."""
import dataclasses
import random

from .operators import of_region
from .schemata import one_line
from .syntax import regions


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change of the RTL: of a sample, or a bug of the catalogue (with a name; it may change more places)."""
    number: int
    file: str
    line: int
    operator: str
    before: str
    after: str
    source: str       # its line in the file
    name: str = ""
    blocks: tuple = ()


def candidates(text, taken=()):
    """Of each region its changes, but for regions that overlap one of `taken` (places of catalogued bugs)."""
    found = []
    for region in regions(text):
        root = region.root
        changes = of_region(region, text)
        if changes and not any(root.start < end and start < root.end for start, end in taken):
            found.append(changes)
    return found


def shares(places, n):
    """How many of `n` each file gets: by its number of places, largest remainder, at least one."""
    total = sum(places.values())
    exact = {file: n * count / total for file, count in places.items()}
    given = {file: min(places[file], max(1, int(share))) for file, share in exact.items()}
    for file in sorted(exact, key=lambda f: (int(exact[f]) - exact[f], f)):
        if sum(given.values()) >= n:
            break
        if given[file] < places[file]:
            given[file] += 1
    return given


def drawn(places, n, draw):
    """`n` changes of a file, no two in one region; each time an operator first, so that the rare ones come, too."""
    left, chosen = list(places), []
    while left and len(chosen) < n:
        operator = draw.choice(sorted({c.operator for changes in left for c in changes}))
        place = draw.choice([changes for changes in left if any(c.operator == operator for c in changes)])
        chosen.append(draw.choice([c for c in place if c.operator == operator]))
        left.remove(place)
    return chosen


def sample(sources, n, seed, taken):
    """[(file, Change)]: `n` of the sources {file: text}, the same for the same seed and sources."""
    found = {file: candidates(text, taken.get(file, ())) for file, text in sources.items()}
    counts = shares({file: len(places) for file, places in found.items() if places}, n)
    return [(file, change) for file in sorted(counts)
            for change in drawn(found[file], counts[file], random.Random(f"{seed}/{file}"))]


def described(number, file, change, text):
    line = text.count("\n", 0, change.start)
    return Mutant(number, file, line + 1, change.operator, one_line(text[change.start:change.end]), one_line(change.after),
                  text.split("\n")[line].strip())
