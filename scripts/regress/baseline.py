# SPDX-License-Identifier: Apache-2.0
"""regress/perf_baseline.toml: cycles per test, two-sided: an unrecorded improvement misses the gate too."""
from lib.toml_file import Tables, TomlFile

from .errors import Refused
from .results import write_whole

TOLERANCE = 0.02
HEADER = """# SPDX-License-Identifier: Apache-2.0
# Core cycles of a test with seed 1. A run may differ by 2 % up or down; more misses the gate.
# Changed only by `scripts/dodeca regress baseline --update`, in a commit that says why.
"""


def read(path, suites):
    """{(test, config): entry}; tests and configurations must be those of the suites."""
    configs = sorted({program.config for program in suites.programs.values()})
    file, found = TomlFile(path), {}
    for index, entry in enumerate(file.check("", file.data, {"baseline": (Tables, [])})["baseline"]):
        entry = file.check("baseline", entry, {
            "test": (str, ...), "config": (str, ...), "cycles": (int, ...), "checks": (int, ...)}, index)
        if entry["cycles"] == 0:
            file.refuse("baseline", "cycles", "is 0; allowed 1 or more", index)
        if entry["test"] not in suites.tests:
            file.refuse("baseline", "test", f"no test is called {entry['test']!r} (tests are in suites.toml)", index)
        if entry["config"] not in configs:
            file.refuse("baseline", "config", f"is {entry['config']!r}; allowed {', '.join(configs)}", index)
        if (entry["test"], entry["config"]) in found:
            file.refuse("baseline", "test", f"{entry['test']!r} is there twice", index)
        found[entry["test"], entry["config"]] = entry
    return found


def compare(runs, recorded):
    """One row per baseline run that passed."""
    rows = []
    for run in runs:
        if run["kind"] != "baseline" or run["state"] != "passed":
            continue
        row = {"test": run["test"], "config": run["config"], "cycles": run["cycles"], "recorded": None,
               "ratio": None, "met": False}
        entry = recorded.get((run["test"], run["config"]))
        if entry is None:
            row["why"] = "no baseline is recorded"
        else:
            ratio = run["cycles"] / entry["cycles"]
            row |= {"recorded": entry["cycles"], "ratio": round(ratio, 5), "met": abs(ratio - 1) <= TOLERANCE}
            if not row["met"]:
                row["why"] = (f"{100 * (ratio - 1):+.2f} % against the record, allowed ±{100 * TOLERANCE:.0f} %"
                              + ("" if ratio > 1 else ": an improvement has to be recorded"))
                if run["checks"] != entry["checks"]:
                    row["why"] += f"; the work changed too ({entry['checks']} -> {run['checks']} commits)"
        rows.append(row)
    return rows


def update(path, runs, suites):
    """Writes what the runs measured; all must have passed. Other entries stay."""
    bad = [r["id"] for r in runs if r["kind"] == "baseline" and r["state"] != "passed"]
    if bad:
        raise Refused(f"{path}: not changed, {bad[0]} has not passed", 1)
    entries = read(path, suites) if path.exists() else {}
    for run in runs:
        if run["kind"] == "baseline":
            entries[run["test"], run["config"]] = {
                "test": run["test"], "config": run["config"], "cycles": run["cycles"], "checks": run["checks"]}
    text = HEADER
    for key in sorted(entries):
        e = entries[key]
        text += (f'\n[[baseline]]\ntest = "{e["test"]}"\nconfig = "{e["config"]}"\n'
                 f'cycles = {e["cycles"]}\nchecks = {e["checks"]}\n')
    write_whole(path, text)
