# SPDX-License-Identifier: Apache-2.0
"""Similar failures in one bucket: the block of the earliest cause, or the first words of a failure with the numbers
taken out."""
import collections
import contextlib
import hashlib
import re

from .untrusted import MOST_LINE, parse, read, shortened, take

KEEP_LINES = 8
# Where the report of a failure begins: a test's own words, a board's, those of a check in passing.
BEGINS = (r"\bFailure$|^(FAIL|ERROR)\b", r"^earliest cause: ", r"Assertion|assert")
CAUSE = re.compile(r"earliest cause: chip \d+(?: core \d+)? (\w+) ")


def first_lines(text):
    """The report of the first failure: what was printed before the repro line, shortened."""
    lines = []
    for line in text.splitlines():
        line = re.sub(r"^\d+: ", "", line.rstrip())  # ctest -V numbers the lines of a test
        if line.startswith("repro:"):
            break
        lines.append(line)
    begin = next((i for words in BEGINS for i, line in enumerate(lines) if re.search(words, line)), 0)
    return "\n".join(shortened(line, MOST_LINE) for line in lines[begin:begin + KEEP_LINES] if line.strip())


def signature(message):
    """The block of the earliest cause: one fault shows in many ways. Or the first line and the instruction it
    happened in, without numbers, paths and hashes."""
    if cause := CAUSE.match(message):
        return f"earliest cause in {cause[1]}"
    lines = message.splitlines() or [""]
    parts = [lines[0]] + re.findall(r"pc \d+: (\w+)", "\n".join(lines[1:]))[:1]
    text = " · ".join(parts)
    text = re.sub(r"0x[0-9a-fA-F]+|\b[0-9a-f]{16}\b", "#", text)
    text = re.sub(r"/\S+/", "", text)
    return re.sub(r"\d+(\.\d+)?", "#", text).strip()


def divergence(run_dir):
    """Where a board run first differed from its model, by its divergence.json: chip, core, engine, cycle, pc."""
    for file in run_dir.glob("*/divergence.json"):
        if file.parent.is_symlink():
            continue
        with contextlib.suppress(ValueError, OSError):  # of a run that was ended while it wrote
            first = take(parse(read(file)), {"first": dict})["first"]
            first = take(first, {"chip": int, "core": (int, type(None)), "stream": str, "cycle": int, "pc": (int, type(None)),
                                 "instruction": (str, type(None))})
            core, words = first["core"], first["instruction"]
            return {"chip": first["chip"], "core": core, "engine": first["stream"].removeprefix(f"core {core} "),
                    "cycle": first["cycle"], "pc": first["pc"] if words else None,
                    "instruction": words.split()[0] if words else None}
    return None


def earliest(run):
    """The order in which the runs of a bucket are worth a look: first divergence, then the shorter run."""
    place = run.get("divergence")
    return place["cycle"] if place else float("inf"), run["cycles"] or float("inf"), run["id"]


def make_buckets(runs):
    """All runs that went wrong, biggest bucket first. `first` is the run to look at: its fault shows earliest;
    `chips` counts the chips that diverged first."""
    groups = collections.defaultdict(list)
    for run in runs:
        if run["state"] not in ("passed", "not run") and run["kind"] != "canary":
            groups[run["state"], signature(run["message"])].append(run)
    rows = []
    for (state, text), members in groups.items():
        first = min(members, key=earliest)
        places = [p for p in (m.get("divergence") for m in members) if p]
        rows.append({"id": hashlib.sha256(f"{state}/{text}".encode()).hexdigest()[:8], "signature": text,
                     "state": state, "count": len(members), "tests": sorted({m["test"] for m in members}),
                     "runs": sorted(m["id"] for m in members), "issues": sorted({m["issue"] for m in members if m.get("issue")}),
                     "first": first["id"], "divergence": first.get("divergence"),
                     "chips": dict(sorted(collections.Counter(p["chip"] for p in places).items()))})
    return sorted(rows, key=lambda row: (-row["count"], row["signature"], row["state"]))
