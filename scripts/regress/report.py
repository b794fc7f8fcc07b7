# SPDX-License-Identifier: Apache-2.0
"""report.html: one file, no network. Everything is readable without scripts; plots need uPlot, which is inside.

Figures that a test compares with evidence.json carry data-figure="name".
"""
import html
import json
import pathlib
import time

from .progress import clock
from .report_coverage import coverage_section
from .results import BAD_STATES, write_whole
from .tools import revision_name

HERE = pathlib.Path(__file__).resolve().parent
ASSETS = HERE / "report_assets"
VENDOR = HERE / "vendor"
GLYPH = {"passed": "✓", "failed": "✗", "timeout": "✗", "killed": "✗", "not run": "–", "build error": "✗",
         "expected failure": "✓", "unexpected pass": "✗"}


def text(value):
    return html.escape(str(value), quote=True)


def figure(name, value, shown=None):
    return f'<span data-figure="{text(name)}" data-value="{text(value)}">{text(value if shown is None else shown)}</span>'


def badge(state):
    kind = ("bad" if state in BAD_STATES or state == "missed" else "none" if state in ("not run", "no data") else
            "known" if state in ("expected failure", "partly run") else "good")
    return f'<span class="badge {kind}">{GLYPH.get(state, "")} {text(state)}</span>'


def table(head, rows, css="", attributes=""):
    cells = "".join(f'<th{" class=num" if name.startswith("#") else ""}>{text(name.lstrip("#"))}</th>' for name in head)
    body = "".join("<tr>" + "".join(f'<td{" class=num" if head[i].startswith("#") else ""}>{cell}</td>'
                                    for i, cell in enumerate(row)) + "</tr>" for row in rows)
    return (f'<div class="scroll"><table class="{css}" {attributes}><thead><tr>{cells}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>")


def section(name, title, body, note=""):
    note = f'<p class="note">{note}</p>' if note else ""
    return f'<section id="{name}"><h2>{text(title)}</h2>{note}{body}</section>'


def repro(line):
    return (f'<div class="repro"><code>{text(line)}</code>'
            f'<button type="button" data-copy="{text(line)}">copy</button></div>')


def day(seconds):
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def head(e):
    c = e["counts"]
    tiles = [("runs", sum(c.values()), None)] + [(state, n, None) for state, n in c.items() if n or state in
                                                 ("passed", "failed")]
    tiles += [("checks", sum(r["checks"] for r in e["runs"]), f"{sum(r['checks'] for r in e['runs']):,}"),
              ("minutes", e["times"]["wall_s"], clock(e["times"]["wall_s"]))]
    boxes = "".join(f'<div class="tile {"alarm" if name in BAD_STATES and n else ""}"><b>{figure(name, n, shown)}</b>'
                    f"<span>{text(name)}</span></div>" for name, n, shown in tiles)
    problems = "".join(f"<li>{text(p)}</li>" for p in e["problems"])
    return (f'<header class="{"good" if e["exit_status"] == 0 else "bad"}"><h1>{text(e["suite"])} '
            f'{figure("status", e["status"])}</h1><p>{day(e["times"]["started"])} · revision '
            f'<code>{text(revision_name(e["revision"]))}</code> “{text(e["revision"]["subject"])}” · seed '
            f'{figure("seed", e["seed"])} · exit status {figure("exit_status", e["exit_status"])} · '
            f'{text(e["launcher"])}, {e["jobs"]} at once</p><p><code>{text(e["command"])}</code></p>'
            f'</header><div class="tiles">{boxes}</div>'
            + (f'<ul class="problems">{problems}</ul>' if problems else ""))


def failures(e, first, good):
    runs = {r["id"]: r for r in e["runs"]}
    parts = []
    for bucket in e["buckets"]:
        member = runs[bucket["runs"][0]]
        seen = first.get(bucket["signature"])
        since = f"first seen {day(seen[1])} at {seen[0][:10]}" if seen else "new in this regression"
        last = [f"{t}: {good[t][0][:10]} ({day(good[t][1])})" for t in bucket["tests"] if good.get(t)]
        since += "; last good " + ", ".join(last) if last else ""
        others = "".join(repro(runs[i]["repro"]) for i in bucket["runs"][1:20])
        parts.append(
            f'<article class="bucket"><h3><b>{bucket["count"]} ×</b> {badge(bucket["state"])} '
            f'{text(bucket["signature"])}</h3><p class="note">{text(", ".join(bucket["tests"]))} · {text(since)} · '
            f'owner {text(member["owner"])}{" · known issue " + text(bucket["issue"]) if bucket["issue"] else ""}'
            f'</p><p class="first">First divergence, {text(member["id"])}:</p><pre>{text(member["message"])}</pre>'
            f'{repro(member["repro"])}' + (f"<details><summary>{bucket['count'] - 1} more</summary>{others}</details>"
                                           if others else "") + "</article>")
    return section("failures", "Failures", "".join(parts) or '<p class="fine">No run failed.</p>',
                   "Similar failures are one bucket: first words and instruction, numbers taken out.")


def trust(e):
    audit = e["seed_audit"]
    rows = [[badge("passed" if e["canary"]["caught"] else "failed"), "canary",
             text(e["canary"]["why"] + (": the injected fault was caught" if e["canary"]["caught"] else ""))],
            [badge("passed" if audit["met"] else "failed"), "seeds",
             f'{figure("audited_seeds", sum(r["seeds"] for r in audit["rows"]))} seeds gave '
             f'{figure("audited_stimuli", sum(r["stimuli"] for r in audit["rows"]))} stimuli'
             + "".join(f'; {text(r["test"])}: {r["stimuli"]} of {r["seeds"]}' for r in audit["rows"] if not r["met"])],
            [badge("passed"), "checks", "a run passes only with exit status 0, the word passed and more than 0 checks"]]
    return section("trust", "Can this be trusted?", table(["", "what", "found"], rows))


def known(e):
    rows = [[text(i["id"]), text(i["owner"]), text(i["expires"]) + (" " + badge("failed") if i["expired"] else ""),
             text(i["doc"]), i["runs"]] for i in e["known_issues"]]
    body = table(["issue", "owner", "expires", "what", "#runs"], rows) if rows else '<p class="fine">None.</p>'
    return section("known", "Known issues", body)


def plots(trend):
    if len(trend) < 2:
        return section("trend", "Trend", '<p class="none">One regression so far; a trend needs two.</p>')
    return section("trend", "Trend", '<div class="plots"><div id="plot-runs"></div><div id="plot-time"></div>'
                   '<div id="plot-coverage"></div></div>', f"The last {len(trend)} regressions of this suite.")


def plan_section(e):
    rows, blocks = [], {}
    for p in e["testplan"]:
        tally = blocks.setdefault(p["block"], [0, 0])
        tally[0] += p["status"] == "passed"
        tally[1] += 1
        hits = p["coverage_hit"]
        cover = (f"{hits[0]} / {hits[1]}" if hits and hits[1] else "no data") if p["coverage"] else ""
        rows.append([text(p["block"]), text(p["name"].replace("_", " ")), p["stage"], text(p["intention"]),
                     "<br>".join(text(t) for t in p["tests"]), f'{badge(p["status"])}', f'{p["good"]} / {p["runs"]}', cover])
    summary = " · ".join(f"{text(b)} {n} / {of}" for b, (n, of) in blocks.items())
    return section("testplan", "Testplan", table(
        ["block", "point", "stage", "what could be wrong", "tests", "", "#runs", "#coverage"], rows, "plan"),
        f"Points whose runs all passed: {summary}.")


def performance(e):
    rows = [[text(g["test"]), text(g["config"]), figure(f"cycles.{g['test']}", g["cycles"], f"{g['cycles']:,}"),
             f"{g['recorded']:,}" if g["recorded"] else "–",
             f"{100 * (g['ratio'] - 1):+.2f} %" if g["ratio"] else "–",
             badge("passed" if g["met"] else "missed") + " " + text(g.get("why", ""))] for g in e["baselines"]]
    body = table(["test", "config", "#cycles", "#recorded", "#change", "gate ±2 %"], rows) if rows else \
        '<p class="none">No baselines in this selection.</p>'
    return section("performance", "Performance against baselines", body)


def slowest(e):
    runs = sorted(e["runs"], key=lambda r: -r["times"]["wall_s"])[:15]
    longest = max([r["times"]["wall_s"] for r in runs], default=0) or 1
    rows = [[text(r["id"]), f'<i class="bar" style="width:{60 * r["times"]["wall_s"] / longest:.1f}%"></i> '
             f'{r["times"]["wall_s"]:.1f} s', f'{r["times"].get("rss_mib") or "–"}',
             f'{r["cycles"]:,}' if r["cycles"] else "–"] for r in runs]
    return section("slowest", "Slowest runs", table(["run", "time", "#MiB", "#cycles"], rows, "slow"))


def all_runs(e):
    rows = [[badge(r["state"]), text(r["id"]), text((r["message"].splitlines() or [""])[0]), f'{r["checks"]:,}',
             f'{r["cycles"]:,}' if r["cycles"] else "–", f'{r["times"]["wall_s"]:.1f}',
             f'<button type="button" data-copy="{text(r["repro"])}" title="{text(r["repro"])}">copy repro</button>']
            for r in e["runs"]]
    return section("runs", "All runs", '<input id="filter" type="search" placeholder="filter: part of a name, a state">'
                   + table(["state", "run", "", "#checks", "#cycles", "#s", ""], rows, "runs", 'id="all"'))


def environment(e):
    rows = [[text(name), text(value)] for name, value in e["tools"].items()]
    rows += [["revision", f'<code>{text(e["revision"]["commit"])}</code>'],
             ["uncommitted changes", f'<code>{text(e["revision"]["dirty"] or "none")}</code>'], ["uPlot", "1.6.32"]]
    return section("environment", "Tools and revision", table(["what", "version"], rows, "small"))


def write_report(path, e, trend, first, good):
    parts = [head(e), failures(e, first, good), trust(e), plots(trend), coverage_section(e["coverage"]), plan_section(e),
             performance(e), known(e), slowest(e), all_runs(e), environment(e)]
    links = "".join(f'<a href="#{name}">{title}</a>' for name, title in (
        ("failures", "Failures"), ("trust", "Trust"), ("trend", "Trend"), ("coverage", "Coverage"),
        ("testplan", "Testplan"), ("performance", "Performance"), ("known", "Known issues"), ("slowest", "Slowest"),
        ("runs", "All runs"), ("environment", "Tools")) if f'<section id="{name}"' in "".join(parts))
    data = json.dumps(trend).replace("</", "<\\/")
    write_whole(path, f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{text(e["suite"])} {text(e["status"])} · Dodeca</title>
<style>{(VENDOR / "uPlot.min.css").read_text()}{(ASSETS / "report.css").read_text()}</style></head>
<body><nav><b>Dodeca</b>{links}</nav><main>{"".join(parts)}</main>
<script type="application/json" id="trend-data">{data}</script>
<script>{(VENDOR / "uPlot.iife.min.js").read_text()}</script>
<script>{(ASSETS / "report.js").read_text()}</script></body></html>
""")
