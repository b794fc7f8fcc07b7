#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Coverage of runs: merge and show it.

  coverage build                      builds board_mini_coverage (minutes)
  coverage merge RUN_DIR...           figures; --json, --uncovered, --info DIR, --gate
  coverage cmodel                     line coverage of the golden model by its unit tests (gcov)

Exit status: 0 good; 2 wrong usage or data; 3 tool missing; 4 below a goal (--gate), or an exclusion
that no longer fits the code.
"""
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "coverage"))
import data  # noqa: E402
import exclusions  # noqa: E402
import goals  # noqa: E402
import report  # noqa: E402
from lib import options  # noqa: E402


def merge(args):
    root = args.root or ROOT
    coverage = data.Coverage(root=str(root))
    for run in args.runs:
        coverage.add_run(run)
    stale = []
    bins = exclusions.apply(exclusions.load(args.exclusions or ROOT / "regress/coverage_exclusions.toml"), coverage, root, stale)
    result = report.summary(coverage, bins, stale)
    result["goals"] = goals.rows(goals.load(args.goals or ROOT / "regress/coverage_goals.toml"), result)
    if args.info:
        args.info.mkdir(parents=True, exist_ok=True)
        for kind in data.TYPES:
            report.write_info(coverage, kind, args.info / f"{kind}.info", root)
    if args.uncovered:
        print("\n".join(report.uncovered(coverage, bins)))
    elif args.json:
        print(json.dumps(result, indent=1))
    else:
        print(report.table(result))
    for line in stale:
        print(f"exclusion out of date: {line}", file=sys.stderr)
    below = any(not row["met"] for row in result["goals"])
    return 4 if stale or (args.gate and below) else 0


def cmodel(args):
    """A build of its own with gcc's counters, the unit tests of the model, gcov per file."""
    build = (args.build or ROOT / "build/gcov").resolve()
    tests = ["program_test", "model_test", "assembler_test", "race_test"]
    steps = [["cmake", "-S", str(ROOT), "-B", str(build), "-G", "Ninja", "-DCMAKE_CXX_COMPILER=g++",
              "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS=--coverage -O1"],
             ["ninja", "-C", str(build), *tests]]
    steps += [[str(build / "bin" / test), "--gtest_brief=1"] for test in tests]
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{' '.join(step)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}", file=sys.stderr)
            return 3
    objects = sorted((build / "cmodel").rglob("*.gcda"))
    done = subprocess.run(["gcov", "--json-format", "--stdout", *map(str, objects)], capture_output=True,
                          text=True, check=False, cwd=build)
    lines = {}
    for text in done.stdout.splitlines():
        for file in json.loads(text)["files"]:
            path = Path(file["file"])
            path = path if path.is_absolute() else build / path
            if not path.is_relative_to(ROOT / "cmodel"):
                continue
            counts = lines.setdefault(path.name, {})
            for line in file["lines"]:
                number = line["line_number"]
                counts[number] = counts.get(number, 0) + line["count"]
    result = {name: report.percent(sum(c > 0 for c in counts.values()), len(counts))
              for name, counts in sorted(lines.items())}
    total = [c for counts in lines.values() for c in counts.values()]
    if args.json:
        print(json.dumps({"schema": 1, "line": report.percent(sum(c > 0 for c in total), len(total)),
                          "by_file": result}, indent=1))
    else:
        for name, figure in result.items():
            print(f"{name:<24}{figure:>8}")
        print(f"{'cmodel':<24}{report.percent(sum(c > 0 for c in total), len(total)):>8} % of {len(total)} lines")
    return 0


def main(argv):
    args = options.parse("coverage", argv)
    if args.word == "build":
        return subprocess.call([str(ROOT / "scripts" / "dodeca"), "build", "board_mini_coverage"])
    return merge(args) if args.word == "merge" else cmodel(args)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
