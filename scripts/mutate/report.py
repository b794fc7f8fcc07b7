# SPDX-License-Identifier: Apache-2.0
"""What came of the mutants: figures, and every survivor."""
import collections
import dataclasses
import datetime
import html
import pathlib

from .blocks import blame

BLAMES = ("right", "neighbour", "wrong", "none")
ALIVE = ("survived", "unmet")


def share(part, whole):
    return round(part / whole, 4) if whole else None


def summary(mutants, verdicts, triage, layers):
    """A dictionary of figures; `score` of a layer counts what it and those before it killed, of all that can be seen."""
    rows = []
    for mutant, verdict in zip(mutants, verdicts):
        entry = triage.of(mutant) if verdict.state in ALIVE else None
        rows.append(dataclasses.asdict(mutant) | dataclasses.asdict(verdict) | {
            "triage": entry["kind"] if entry else "", "because": entry["because"] if entry else "",
            "blame": blame(mutant.file, verdict.cause, mutant.blocks) if verdict.board or verdict.cause else ""})
    seen = [r for r in rows if not r["triage"]]
    folders = collections.defaultdict(list)
    for row in seen:
        folders[str(pathlib.PurePosixPath(row["file"]).parent)].append(row)
    spent = sum(r["seconds"] for r in rows)
    blamed = collections.Counter(r["blame"] for r in rows if r["blame"])
    return {
        "schema": 1, "mutants": len(rows), "triaged": collections.Counter(r["triage"] for r in rows if r["triage"]),
        "killed_by_the_clock": sum(r["state"] == "timeout" for r in rows),
        "score": {layer: share(killed_until(seen, layers, layer), len(seen)) for layer in layers},
        "folders": {folder: {"mutants": len(found), "score": share(killed_until(found, layers, layers[-1]), len(found))}
                    for folder, found in sorted(folders.items())},
        "blame": {name: blamed[name] for name in BLAMES} | {"right_share": share(blamed["right"], sum(blamed.values()))},
        "blame_by_block": blame_by_block(rows),
        "mutants_per_minute_and_core": round(60 * len(rows) / spent, 1) if spent else None,
        "rows": rows}


def ledger(catalogue, rows):
    """Of each catalogued bug what it was, and what becomes of it today: {name: bug}, rows of the summary."""
    found = []
    for row in rows:
        bug = catalogue[row["name"]]
        there = {"since": bug.since, "found": bug.when, "days": (day(bug.when) - day(bug.since)).days, "by": bug.by,
                 "found_in": bug.layer} if bug.when else {}
        found.append({"name": bug.name, "about": bug.about, **there, "blocks": bug.blocks, "layer": row["layer"],
                      "noticed_by": row["run"], "cause": row["cause"], "blame": row["blame"], "seconds": row["seconds"]})
    return found


def day(when):
    """Of "2026-11-22 571eff0"."""
    return datetime.date.fromisoformat(when.split()[0])


def killed_until(rows, layers, last):
    inside = layers[:layers.index(last) + 1]
    return sum(r["layer"] in inside for r in rows if r["state"] not in ALIVE)


def blame_by_block(rows):
    found = collections.defaultdict(collections.Counter)
    for row in rows:
        if row["blame"]:
            found[str(pathlib.PurePosixPath(row["file"]).parent)][row["blame"]] += 1
    return {folder: {name: counts[name] for name in BLAMES} for folder, counts in sorted(found.items())}


def change(row):
    return f"{row['file']}:{row['line']}  {row['name'] or row['operator']}: {row['before']} -> {row['after'] or '(nothing)'}"


def text_of(result, page):
    lines = [f"{result['mutants']} mutants, {sum(result['triaged'].values())} of them that nobody can see; "
             f"{result['killed_by_the_clock']} ended by the clock; {result['mutants_per_minute_and_core']} a minute and core"]
    lines += [f"killed until {layer:8} {100 * score:5.1f} %" for layer, score in result["score"].items() if score is not None]
    lines += [f"  {folder:24} {row['mutants']:4} mutants {100 * row['score']:6.1f} %" for folder, row in result["folders"].items()]
    blames = result["blame"]
    lines += [f"cause names the block: {', '.join(f'{blames[name]} {name}' for name in BLAMES)}"]
    alive = [r for r in result["rows"] if r["state"] in ALIVE and not r["triage"]]
    lines += [f"{r['state']}: {change(r)}" for r in alive]
    return "\n".join([*lines, f"report: {page}"])


STYLE = """body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;color:#1b2430;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0 2rem}td,th{padding:.25rem .7rem;text-align:left;border-bottom:1px solid #e3e7ec;
vertical-align:top}th{font-weight:600;color:#5a6675}code{font:12.5px ui-monospace,monospace;overflow-wrap:anywhere}.n{text-align:right}
.bar{display:inline-block;height:.7rem;background:#2f7d5b;border-radius:2px;margin-right:.5rem}
.survived,.unmet{color:#b3261e;font-weight:600}.killed,.timeout{color:#2f7d5b}
@media(prefers-color-scheme:dark){body{background:#12161b;color:#dfe5ec}td,th{border-color:#2b333d}}"""


def table(head, rows):
    cells = "".join(f"<th>{html.escape(h)}</th>" for h in head)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{body}</table>"


def bar(score):
    return f'<span class="bar" style="width:{120 * (score or 0):.0f}px"></span>{100 * (score or 0):.1f} %'


def of_mutant(row):
    words = html.escape
    return [f'<span class="{row["state"]}">{row["state"]}</span>', words(f"{row['file']}:{row['line']}"), words(row["name"] or row["operator"]),
            f"<code>{words(row['before'])}</code>", f"<code>{words(row['after'] or '(nothing)')}</code>",
            words(row["run"] or f"{row['triage']} {row['because']}"), words(row["layer"]), words(f"{row['cause']} {row['blame']}"),
            f"{row['seconds']:.1f}"]


def of_bug(bug):
    words = html.escape
    then = [words(f"{bug['found']} ({bug['found_in']})"), words(bug["by"]), str(bug["days"])] if "found" in bug else []
    return [f"<b>{words(bug['name'].replace('_', ' '))}</b><br>{words(bug['about'])}", *then, words(bug["layer"] or "nothing"),
            words(bug["noticed_by"]), words(f"{bug['cause']} {bug['blame']}"), f"{bug['seconds']:.1f}"]


def bugs_table(bugs):
    """The ledger: when each was found, by what, how long it had been there; and what sees it today."""
    then = ["found (in)", "by", "days old"] if any("found" in bug for bug in bugs) else []
    return table(["bug", *then, "layer today", "noticed by", "cause", "s"], [of_bug(bug) for bug in bugs]) if bugs else ""


def write_page(path, result):
    """One page, without scripts: figures first, then survivors, then all."""
    order = {"unmet": 0, "survived": 1, "timeout": 2, "killed": 3}
    rows = sorted(result["rows"], key=lambda r: (bool(r["triage"]), order[r["state"]], r["file"], r["line"]))
    head = ["", "place", "operator", "design", "mutant", "noticed by", "layer", "cause", "s"]
    path.write_text(
        f"<!doctype html><meta charset=utf-8><title>Mutants</title><style>{STYLE}</style><h1>Mutants</h1>"
        f"<p>{result['mutants']} small changes of the RTL, each tried alone. "
        f"{sum(result['triaged'].values())} cannot be seen by anybody (regress/survivors.toml) and do not count.</p>"
        + table(["layer", "noticed"], [[layer, bar(score)] for layer, score in result["score"].items()])
        + table(["folder", "mutants", "noticed"], [[f, r["mutants"], bar(r["score"])] for f, r in result["folders"].items()])
        + table(["the earliest cause names the block", *BLAMES],
                [[f, *(r[name] for name in BLAMES)] for f, r in result["blame_by_block"].items()])
        + bugs_table(result.get("bugs", [])) + table(head, [of_mutant(row) for row in rows]), encoding="utf-8")
