# SPDX-License-Identifier: Apache-2.0
"""regress/ranking.toml: which runs meet and kill mutants of which file of the RTL, and what a run costs.

A run *meets* a mutant that could change a value in it; it *kills* one if it fails with it. By file, not by mutant: a
later tree has other mutants. Written by `scripts/dodeca rank --record`.
"""
import collections
import json

from lib.toml_file import TomlFile

from .errors import Refused
from .results import write_whole

HEADER = """# SPDX-License-Identifier: Apache-2.0
# What runs see, measured: `scripts/dodeca rank RESULT... --record` writes it, nobody else.
#   [seconds]      test = { seed = seconds of processor time }
#   [file."RTL"]   mutants: how many were tried that somebody could see; met, killed: test = how many of them each run
#                  met or killed, in the order of the seeds; one number: each run of the test as many; no test: none
"""
FEW = 5  # mutants of a file: so few say nothing about who uses it


class Ranking:
    """seconds: {(test, seed): seconds}; files: {file: {"mutants": n, "met": {(test, seed): n}, "killed": ...}};
    source: whence, in words."""

    def __init__(self, source=None, seconds=None, files=None):
        self.source, self.seconds, self.files = source or {}, seconds or {}, files or {}

    def like(self, test, seed):
        """The measured run, or those of its test: a new seed is like the others."""
        return [(test, seed)] if (test, seed) in self.seconds else [key for key in self.seconds if key[0] == test]

    def knows(self, file):
        return self.files.get(file, {}).get("mutants", 0) >= FEW

    def meets(self, file, test):
        """Does a run of the test meet mutants of the file? Also if the test was never measured."""
        found = [key for key in self.seconds if key[0] == test]
        return not found or any(key in self.files[file]["met"] for key in found)

    def worth(self, files, test, seed):
        """Mutants of the files that a run kills, per second."""
        runs = self.like(test, seed)
        kills = sum(self.files[file]["killed"].get(run, 0) for file in files for run in runs)
        return kills / max(sum(self.seconds[run] for run in runs), 0.01)

    def without(self, tests, files):
        """Without tests and files that are no more."""
        def kept(counts):
            return {key: n for key, n in counts.items() if key[0] in tests}
        return Ranking(self.source, kept(self.seconds), {
            name: row | {kind: kept(row[kind]) for kind in ("met", "killed")} for name, row in self.files.items() if name in files})


def read(path):
    """The record; an empty one where there is none."""
    if not path.exists():
        return Ranking()
    file = TomlFile(path)
    top = file.check("", file.data, {"source": (dict, ...), "seconds": (dict, ...), "file": (dict, ...)})
    seeds = collections.defaultdict(list)
    seconds = {}
    for test, row in top["seconds"].items():
        for seed, value in row.items() if isinstance(row, dict) else file.refuse("seconds", test, "must be a table"):
            if not seed.isdigit() or isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
                file.refuse("seconds", test, f"{seed} = {value!r}; allowed seed = seconds")
            seconds[test, int(seed)] = value
            seeds[test].append(int(seed))
    files = {}
    for name, row in top["file"].items():
        row = file.check(f"file.{name}", row, {"mutants": (int, ...), "met": (dict, {}), "killed": (dict, {})})
        files[name] = row | {kind: dict(counts_of(file, name, kind, row, seeds)) for kind in ("met", "killed")}
    return Ranking(top["source"], seconds, files)


def counts_of(file, name, kind, row, seeds):
    """((test, seed), n) of all runs with n > 0."""
    for test, value in row[kind].items():
        counts = [value] * len(seeds[test]) if isinstance(value, int) else value
        if not isinstance(counts, list) or len(counts) != len(seeds[test]) or not seeds[test] or not all(
                type(n) is int and 0 <= n <= row["mutants"] for n in counts):
            file.refuse(f"file.{name}", kind, f"{test} = {value!r}; allowed a number up to {row['mutants']}, or one for each of "
                        f"its {len(seeds[test])} seeds")
        yield from (((test, seed), n) for seed, n in zip(seeds[test], counts) if n)


def write(path, ranking):
    seeds = collections.defaultdict(list)
    for test, seed in sorted(ranking.seconds):
        seeds[test].append(seed)

    def counts(found):
        rows = {test: [found.get((test, seed), 0) for seed in seeds[test]] for test in seeds}
        return inline({test: n[0] if len(set(n)) == 1 else n for test, n in rows.items() if any(n)})
    text = HEADER + "\n[source]\n" + "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
                                             for key, value in ranking.source.items()) + "\n[seconds]\n"
    text += "".join(f"{bare(test)} = {inline({seed: ranking.seconds[test, seed] for seed in seeds[test]})}\n" for test in seeds)
    for name, row in sorted(ranking.files.items()):
        text += f"\n[file.{json.dumps(name)}]\nmutants = {row['mutants']}\n"
        text += "".join(f"{kind} = {counts(row[kind])}\n" for kind in ("met", "killed"))
    try:
        write_whole(path, text)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; allowed a file that can be written", 3) from None


def bare(key):
    return json.dumps(key) if "." in str(key) else key


def inline(row):
    pairs = [f"{bare(key)} = {json.dumps(value)}" for key, value in row.items()]
    return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
