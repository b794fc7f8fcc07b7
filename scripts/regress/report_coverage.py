# SPDX-License-Identifier: Apache-2.0
"""The coverage part of the report: what `scripts/coverage.py merge --json` says, raw and net, by block and chip."""
import html

KINDS = ("line", "branch", "toggle", "functional")


def percent(value):
    if not isinstance(value, (int, float)):
        return "–"
    shade = "high" if value >= 90 else "middle" if value >= 60 else "low"
    return f'<i class="cover {shade}" style="width:{value * 0.5:.1f}%"></i> {value:.1f} %'


def rows_of(entries):
    """entries: {name: {raw: {kind: percent}, net: {...}}}, or {name: {kind: percent}}."""
    rows = ""
    for name, entry in entries.items():
        net, raw = entry.get("net", entry), entry.get("raw", {})
        cells = "".join(f'<td class="num">{percent(net.get(k))}'
                        + (f'<small> raw {raw[k]:.1f}</small>' if isinstance(raw.get(k), (int, float)) else "")
                        + "</td>" for k in KINDS)
        rows += f"<tr><td>{html.escape(str(name))}</td>{cells}</tr>"
    return rows


def coverage_section(summary):
    """Empty where no run left coverage data: no figures are made up."""
    if not summary:
        return ""
    if summary.get("problem"):
        body = f'<p class="bad">The converter failed: {html.escape(summary["problem"])}</p>'
    else:
        head = "".join(f"<th class=num>{kind}</th>" for kind in KINDS)
        total = rows_of({"all": {"net": summary.get("net", {}), "raw": summary.get("raw", {})}})
        body = ""
        for title, key in (("total", None), ("by block", "blocks"), ("by chip", "chips")):
            rows = total if key is None else rows_of(summary.get(key) or {})
            if rows:
                body += (f'<h3>{title}</h3><div class="scroll"><table class="covers"><thead><tr><th></th>{head}'
                         f"</tr></thead><tbody>{rows}</tbody></table></div>")
        exclusions = summary.get("exclusions") or []
        if exclusions:
            body += "<details><summary>" + f"{len(exclusions)} exclusions, each with its reason</summary><ul>" + \
                "".join(f"<li>{html.escape(x if isinstance(x, str) else ' · '.join(map(str, x.values())))}</li>"
                        for x in exclusions) + "</ul></details>"
    return f'<section id="coverage"><h2>Coverage</h2>{body}</section>'
