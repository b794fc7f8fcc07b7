# SPDX-License-Identifier: Apache-2.0
"""How good would `regress smoke --changed` have been? For each killed mutant, as a change of its file, told from the
others only (leave one out): is it still killed, in how much of the time, and after how many seconds first?"""
import statistics

from regress.changed import Change
from regress.plan import longest_first


def without(record, file, met, killed, step=-1):
    """The record with one mutant less (or again more)."""
    record.files[file]["mutants"] += step
    for kind, runs in (("met", met), ("killed", killed)):
        counts = record.files[file][kind]
        for key in runs:
            counts[key] = counts.get(key, 0) + step
            if not counts[key]:
                del counts[key]


def until_first(order, killers, seconds):
    """Seconds of one processor until the first of the killers ends; None if none runs."""
    spent = 0.0
    for run in order:
        spent += seconds[run["id"]]
        if run["id"] in killers:
            return spent
    return None


def predict(root, suites, results, runs):
    """runs: of the suite, all measured. None if the results do not know all killers."""
    if not results.complete:
        return None
    names, keys, seconds = {run["id"] for run in runs}, results.keys(suites.tests), results.seconds
    record, whole = results.ranking(suites.tests), sum(seconds[name] for name in names)
    means = {run["test"]: statistics.mean(seconds[r["id"]] for r in runs if r["test"] == run["test"]) for run in runs}
    usual = longest_first(runs, means)
    shares, first, first_usual = [], [], []
    for mutant, file in results.file.items():
        killers = {name for name in names if mutant in results.killed[name]}
        if not killers:
            continue
        met, killed = ([key for name, key in keys.items() if mutant in sets[name]] for sets in (results.met, results.killed))
        without(record, file, met, killed)
        order, _ = Change(root, suites, record, "", [file]).select(runs)
        without(record, file, met, killed, 1)
        shares.append(sum(seconds[run["id"]] for run in order) / whole)
        after = until_first(order, killers, seconds)
        if after is not None:
            first.append(after)
            first_usual.append(until_first(usual, killers, seconds))
    if not first:
        return None
    return {"killed": len(shares), "still_killed": round(len(first) / len(shares), 4), "time": round(statistics.mean(shares), 4),
            "first_kill_s": round(statistics.mean(first), 2), "first_kill_usual_s": round(statistics.mean(first_usual), 2)}
