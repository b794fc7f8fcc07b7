# SPDX-License-Identifier: Apache-2.0
"""report.html: the page of report_assets/ with the evidence in it. One file, no network.

The scripts of the page draw everything from the evidence. Its text is never read as HTML: as data it cannot
leave its element (no `<` in it), the scripts set text only, and the page's own policy runs no script but ours.
"""
import base64
import hashlib
import html
import json
import pathlib
import re

from .changed import line_of
from .results import BAD_STATES, write_whole

HERE = pathlib.Path(__file__).resolve().parent
ASSETS = HERE / "report_assets"
VENDOR = HERE / "vendor"
# In this order: later ones use what earlier ones define.
SCRIPTS = ("dom", "overview", "failures", "trust", "trend", "coverage", "testplan", "tests", "runs", "page")


def embedded(evidence):
    """What the page gets: all but the thousands of functional bins, of which groups and misses remain."""
    coverage = evidence["coverage"]
    functional = (coverage or {}).get("functional")
    if not functional or "bins" not in functional:
        return evidence
    groups = {}
    for name, count in functional["bins"].items():
        parts = name.split(".")
        group = groups.setdefault(".".join(parts[:2] if len(parts) > 2 else parts[:1]), {"hit": 0, "total": 0, "missed": []})
        group["hit"] += count > 0
        group["total"] += 1
        if not count:
            group["missed"].append(name)
    shorter = {key: value for key, value in functional.items() if key != "bins"} | {"groups": groups}
    return evidence | {"coverage": coverage | {"functional": shorter}}


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def plain(evidence):
    """What a reader without scripts sees."""
    lines = [f"{evidence['suite']} {evidence['status']}: " +
             ", ".join(f"{n} {state}" for state, n in evidence["counts"].items() if n),
             *([line_of(evidence["changed"])] if evidence["changed"] else []), *evidence["problems"]]
    for run in evidence["runs"]:
        if run["state"] in BAD_STATES:
            lines += ["", f"{run['state']}: {run['id']}", run["message"], run["repro"]]
    return "\n".join(lines)


def write_report(path, evidence):
    style = (VENDOR / "uPlot.min.css").read_text() + (ASSETS / "report.css").read_text()
    library = (VENDOR / "uPlot.iife.min.js").read_text()
    script = "\n".join((ASSETS / f"{name}.js").read_text() for name in SCRIPTS)
    fill = {
        "title": html.escape(f"{evidence['suite']} {evidence['status']} · Dodeca"),
        "policy": f"default-src 'none'; img-src data:; style-src {digest(style)}; "
                  f"script-src {digest(library)} {digest(script)}",
        "colour": "17784b" if evidence["exit_status"] == 0 else "b42318",
        "style": style, "library": library, "script": script, "plain": html.escape(plain(evidence)),
        "data": json.dumps(embedded(evidence), separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c"),
    }
    page = re.sub(r"@(\w+)@", lambda match: fill[match[1]], (ASSETS / "page.html").read_text())
    write_whole(path, page)
