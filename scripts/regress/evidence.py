# SPDX-License-Identifier: Apache-2.0
"""evidence.json: all that a regression says, computed from its plan and its finished runs.

Nothing is kept in memory only: `scripts/dodeca regress report DIR` computes the same again.
"""
import collections
import json
import subprocess
import tomllib

from . import baseline
from .buckets import make_buckets, signature
from .errors import BAD_ENVIRONMENT, CHECK_FAILED, GATE_MISSED, PASSED
from .execute import record
from .guard import script
from .results import BAD_STATES, counts
from .untrusted import shown


def seed_audit(runs):
    """N seeds must give N stimuli, told by the run itself: a board by its program's hash, a unit test by the
    seed that it drew from. A test that tells none has a fixed stimulus: more than one run of it is a sham."""
    groups = collections.defaultdict(dict)
    for run in runs:
        if run["kind"] == "test" and (run["stimulus"] or run["state"] == "passed"):
            groups[run["test"]][run["seed"]] = run["stimulus"]
    rows = []
    for test, found in sorted(groups.items()):
        stimuli = len(set(found.values()) - {None})
        if stimuli or len(found) > 1:
            rows.append({"test": test, "seeds": len(found), "stimuli": stimuli, "met": stimuli == len(found)})
    return {"met": all(row["met"] for row in rows), "rows": rows}


def canary_verdict(runs):
    """The disturbed run must have been seen to diverge."""
    bird = next((r for r in runs if r["kind"] == "canary"), None)
    if bird is None or bird["state"] == "not run":
        return {"caught": False, "why": "the canary was not caught: it was not run"}
    if bird["state"] == "expected failure":
        return {"caught": True, "why": (bird["message"].splitlines() or [""])[0]}
    first = (bird["message"].splitlines() or [""])[0]
    return {"caught": False, "why": "the canary was not caught: " + {
        "unexpected pass": "its run, which must fail, passed: who does not see a fault says nothing by green",
        "failed": f"its run failed, but not by the fault that was injected ({first})"}.get(
            bird["state"], f"its run came to no end of its own: {bird['state']} ({first})")}


def judge_canary(run):
    """The fault must be what failed it: a divergence that the injector claims, not a crash."""
    inject = run.get("inject") or {}
    if run["state"] == "failed" and inject.get("outcome") == "detected":
        return run | {"state": "expected failure"}
    if run["state"] == "passed":
        return run | {"state": "unexpected pass", "message": "no fault was seen, and there must be one"}
    return run


def coverage(root, folder):
    """Summary of coverage data of the runs by the converter, or None where there are none."""
    found = sorted({p.parent for pattern in ("coverage.dat.gz", "functional.json")
                    for p in (folder / "runs").glob(f"**/{pattern}") if not p.parent.is_symlink()
                    and "latest" not in p.parts})
    if not found:
        return None
    done = subprocess.run(script("coverage", "merge", *map(str, found), "--json"), capture_output=True, text=True)
    try:
        return json.loads(done.stdout) | {"exclusions": exclusions(root)}
    except ValueError:
        return {"problem": (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]}


def missed_goals(cover):
    """Lines about what a suite with goals lacks: goals not met, exclusions that are not true any more."""
    if not cover or "problem" in cover:
        return ["coverage goals: " + (cover or {}).get("problem", "no run left coverage data")]
    rows = [g for g in cover["goals"] if not g["met"]]
    return [f"coverage goal {g['name']}: " + ("not measured" if g["measured"] is None else
            f"{g['measured']:.2f} % net") + f"; goal {g['target']} %" for g in rows] + [
        f"exclusion out of date: {line}" for line in cover["exclusions_out_of_date"]]


def exclusions(root):
    """What the net figures leave out, with the reasons, for whoever reads the report. The converter judges them."""
    try:
        tables = tomllib.loads((root / "regress/coverage_exclusions.toml").read_text())
    except (OSError, ValueError):
        return []
    return [{"what": name, **entry} for name, entries in tables.items() for entry in entries]


def looked_into(folder, run):
    """What a run left for whoever looks into it, relative to its folder: timeline, divergence, views of its waves."""
    found = []
    for made in sorted((folder / "runs" / run["id"]).glob("*/result.json")):
        if made.parent.is_symlink():
            continue
        for pattern in ("timeline.html", "divergence.json", "waves/*.gtkw", "waves/*.sucl"):
            found += [f"{made.parent.name}/{path.relative_to(made.parent)}" for path in sorted(made.parent.glob(pattern))]
    return found


def verdicts(plan, tally, notes, canary, audit, gates, cover):
    """What a regression is judged by beside its runs: {name: lines about what is wrong, none if it is met}."""
    found = {"finished": notes + [f"{tally['not run']} not run"] * (tally["not run"] > 0),
             "canary": [] if canary["caught"] else [canary["why"]],
             "seed audit": [f"seed audit: {r['test']} made {r['stimuli']} stimuli of {r['seeds']} seeds"
                            for r in audit["rows"] if not r["met"]]}
    if gates:
        found["performance gate"] = [f"cycles of {g['test']} ({g['config']}): {g['why']}" for g in gates if not g["met"]]
    if plan.get("goals"):
        found["coverage goals"] = missed_goals(cover)
    return found


GATES = ("performance gate", "coverage goals")


def make(plan, records, suites_data, folder, root, finished, notes):
    """The whole evidence. suites_data: (testplan, known issues, recorded baselines). notes: lines about records
    that are missing."""
    testplan, known, recorded = suites_data
    runs = []
    for run in plan["runs"]:
        done = records.get(run["id"]) or record(run, "not run", "the regression ended before it", finished,
                                                times={"wall_s": 0.0})
        runs.append(judge_canary(done) if run["kind"] == "canary" else known.apply(done))
    runs.sort(key=lambda r: r["id"])
    audit, canary, gates = seed_audit(runs), canary_verdict(runs), baseline.compare(runs, recorded)
    tally = counts(runs)
    cover = coverage(root, folder)
    judged = verdicts(plan, tally, notes, canary, audit, gates, cover)
    missed = [line for name in GATES for line in judged.get(name, [])]
    problems = [line for name, lines in judged.items() if name not in GATES for line in lines]
    problems += [f"{n} {state}" for state, n in tally.items() if n and state in BAD_STATES]
    goals = (cover or {}).get("goals", []) if plan.get("goals") else []
    status = (BAD_ENVIRONMENT if tally["build error"] else CHECK_FAILED if problems else
              GATE_MISSED if missed else PASSED)
    return {"schema": 1, "kind": "regression", "suite": plan["suite"], "selection": plan.get("selection", ""),
            "changed": plan.get("changed"), "seed": plan["seed"],
            "command": shown(plan["command"]), "folder": shown(folder.name), "revision": plan["revision"], "tools": plan["tools"],
            "programs": plan["programs"], "status": ("passed", "failed", "failed", "build error", "gate missed")[status], "exit_status": status,
            "problems": problems + missed, "verdicts": judged, "counts": tally, "canary": canary, "seed_audit": audit,
            "baselines": gates, "buckets": make_buckets(runs), "known_issues": known.rows(runs),
            "testplan": testplan.with_results(runs, ((cover or {}).get("functional") or {}).get("bins")),
            "coverage": cover, "goals": goals,
            "runs": [r | ({"signature": signature(r["message"])} if r["message"] else {})
                     | ({"files": files} if (files := looked_into(folder, r)) else {}) for r in runs],
            "launcher": plan["launcher"], "jobs": plan["jobs"],
            "times": {"started": plan["started"], "finished": finished,
                      "wall_s": round(finished - plan["started"], 1)}}
