# SPDX-License-Identifier: Apache-2.0
"""Similar failures in one bucket: the first words of a failure with the numbers taken out."""
import collections
import re

KEEP_LINES = 6


def first_lines(text):
    """The report of the first failure: what was printed before the repro line, shortened."""
    lines = []
    for line in text.splitlines():
        line = re.sub(r"^\d+: ", "", line.rstrip())  # ctest -V numbers the lines of a test
        if line.startswith("repro:"):
            break
        lines.append(line)
    failing = [i for i, line in enumerate(lines)
               if re.search(r"\bFailure$|^(FAIL|ERROR)\b|Assertion|assert", line)]
    begin = failing[0] if failing else 0
    return "\n".join(line for line in lines[begin:begin + KEEP_LINES] if line.strip())


def signature(message):
    """The first line and the instruction it happened in, without numbers, paths and hashes."""
    lines = message.splitlines() or [""]
    parts = [lines[0]] + re.findall(r"pc \d+: (\w+)", "\n".join(lines[1:]))[:1]
    text = " · ".join(parts)
    text = re.sub(r"0x[0-9a-fA-F]+|\b[0-9a-f]{16}\b", "#", text)
    text = re.sub(r"/\S+/", "", text)
    return re.sub(r"\d+(\.\d+)?", "#", text).strip()


def make_buckets(runs):
    """[{signature, state, count, tests, first run}] of all runs that went wrong, biggest first."""
    groups = collections.defaultdict(list)
    for run in runs:
        if run["state"] not in ("passed", "not run") and run["kind"] != "canary":
            groups[run["state"], signature(run["message"])].append(run)
    rows = [{"signature": text, "state": state, "count": len(members),
             "tests": sorted({m["test"] for m in members}), "runs": sorted(m["id"] for m in members),
             "issue": members[0].get("issue")}
            for (state, text), members in groups.items()]
    return sorted(rows, key=lambda row: (-row["count"], row["signature"]))
