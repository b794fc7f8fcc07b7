# SPDX-License-Identifier: Apache-2.0
"""Figures of merged coverage: raw, net of exclusions, by block and by chip; lcov files."""
from collections import defaultdict
from pathlib import Path

from data import TYPES

KINDS = (*TYPES, "functional")


def percent(hit, total):
    return round(100.0 * hit / total, 2) if total else None


def figures(counts):
    """Of a list of (count, is excluded). Excluded is only what nobody hit."""
    total, hit = len(counts), sum(count > 0 for count, _ in counts)
    excluded = sum(count == 0 and bool(why) for count, why in counts)
    return {"raw": percent(hit, total), "net": percent(hit, total - excluded), "hit": hit,
            "total": total, "excluded": excluded}


def summary(coverage, excluded_bins, stale):
    points = list(coverage.points.values())
    result = {"schema": 1, "runs": coverage.runs, "runs_with_code": coverage.code_runs,
              "runs_not_passed": coverage.not_passed}
    blocks = defaultdict(lambda: {kind: [] for kind in KINDS})
    for point in points:
        blocks[point.block][point.kind].append((point.count, point.excluded))
    for name, count in coverage.functional.items():
        blocks[name.split(".")[0]]["functional"].append((count, excluded_bins.get(name)))
    for kind in KINDS:
        result[kind] = figures([c for kinds in blocks.values() for c in kinds[kind]])
    result["functional"]["bins"] = dict(sorted(coverage.functional.items()))
    result["net"] = {kind: result[kind]["net"] for kind in KINDS}
    result["by_block"] = {name: {kind: figures(counts) for kind, counts in blocks[name].items() if counts}
                          for name in sorted(blocks)}
    chips = 0
    for point in points:
        chips |= point.chips
    result["by_chip"] = {}
    for chip in range(chips.bit_length()):
        result["by_chip"][f"chip{chip:02}"] = {
            kind: percent(sum(p.chips >> chip & 1 for p in points if p.kind == kind), result[kind]["total"])
            for kind in TYPES}
    result["exclusions_out_of_date"] = stale
    return result


def write_info(coverage, kind, file, root):
    """lcov's format for genhtml: of one kind. Lines have the least count of their points; branch
    points are branches of their line, a line's hit is the sum of them."""
    files = defaultdict(lambda: defaultdict(list))
    for point in coverage.points.values():
        if point.kind == kind and not point.excluded:
            files[point.file][point.line].append(point)
    out = ["TN:" + kind]
    for name in sorted(files):
        out.append(f"SF:{Path(root) / name}")
        lines = files[name]
        if kind == "branch":
            points = [(line, index, p) for line in sorted(lines) for index, p in enumerate(lines[line])]
            out += [f"BRDA:{line},0,{index},{p.count or '-'}" for line, index, p in points]
            out += [f"BRF:{len(points)}", f"BRH:{sum(p.count > 0 for _, _, p in points)}"]
        count = max if kind == "branch" else min
        hits = {line: count(p.count for p in lines[line]) for line in sorted(lines)}
        out += [f"DA:{line},{hit}" for line, hit in hits.items()]
        out += [f"LF:{len(hits)}", f"LH:{sum(h > 0 for h in hits.values())}", "end_of_record"]
    Path(file).write_text("\n".join(out) + "\n", encoding="utf-8")


def table(result):
    goals = {row["name"]: row for row in result["goals"]}
    rows = [f"{'':<20}{'raw %':>8}{'net %':>8}{'goal':>7}{'hit':>9}{'total':>9}{'excluded':>10}"]
    for name in [*KINDS, *(name for name in goals if name not in KINDS)]:
        kind, _, block = name.partition(".")
        r = result[kind] if not block else result["by_block"].get(block, {}).get(kind, figures([]))
        raw, net = (("-" if r[k] is None else f"{r[k]:.2f}") for k in ("raw", "net"))
        goal = f"{goals[name]['target']:.0f}" if name in goals else "-"
        mark = "" if name not in goals or goals[name]["met"] else "  below the goal" if r["net"] is not None else "  not measured"
        rows.append(f"{name:<20}{raw:>8}{net:>8}{goal:>7}{r['hit']:>9}{r['total']:>9}{r['excluded']:>10}{mark}")
    if result["by_block"]:
        rows += ["", f"{'net % of':<24}" + "".join(f"{kind:>11}" for kind in KINDS)]
        for name, kinds in result["by_block"].items():
            cells = [f"{kinds[k]['net']:.1f}" if k in kinds and kinds[k]["net"] is not None else "-" for k in KINDS]
            rows.append(f"{name:<24}" + "".join(f"{c:>11}" for c in cells))
        for name, kinds in result["by_chip"].items():
            rows.append(f"{name:<24}" + "".join(f"{'-' if kinds[k] is None else kinds[k]:>11}" for k in TYPES))
    return "\n".join(rows)


def uncovered(coverage, excluded_bins):
    """One line per place and kind: what is missing there."""
    places = defaultdict(list)
    for point in coverage.points.values():
        if not point.count and not point.excluded:
            places[point.file, point.line, point.kind].append(point)
    out = []
    for (file, line, kind), points in sorted(places.items()):
        names = sorted({p.name for p in points})
        more = f" .. {len(points)} points" if len(names) > 6 else ""
        out.append(f"{file}:{line}: {kind}: {' '.join(names[:6])}{more}")
    out += [f"functional: {name}" for name, count in sorted(coverage.functional.items())
            if not count and name not in excluded_bins]
    return out
