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
    """entries: {name: {kind: percent or {raw, net, ...}}}, as `coverage.py merge --json` prints them."""
    rows = ""
    for name, kinds in entries.items():
        cells = ""
        for kind in KINDS:
            figure = kinds.get(kind)
            net, raw = (figure.get("net"), figure.get("raw")) if isinstance(figure, dict) else (figure, None)
            small = f"<small> raw {raw:.1f}</small>" if isinstance(raw, (int, float)) else ""
            cells += f'<td class="num">{percent(net)}{small}</td>'
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
        total = rows_of({"all": summary})
        body = ""
        for title, key in (("total", None), ("by block", "by_block"), ("by chip", "by_chip")):
            rows = total if key is None else rows_of(summary.get(key) or {})
            if rows:
                body += (f'<h3>{title}</h3><div class="scroll"><table class="covers"><thead><tr><th></th>{head}'
                         f"</tr></thead><tbody>{rows}</tbody></table></div>")
        stale = summary.get("exclusions_out_of_date") or []
        body += "".join(f'<p class="bad">Exclusion out of date: {html.escape(line)}</p>' for line in stale)
    return f'<section id="coverage"><h2>Coverage</h2>{body}</section>'
