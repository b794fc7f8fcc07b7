#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""timeline.html beside the timeline.json of a run: one page, no network. Prints what cost most, by line of the program.

  scripts/dodeca timeline out/latest
"""
import base64
import bisect
import collections
import gzip
import json
import os
import sys
from pathlib import Path

from lib import options
from lib.errors import Refused
from lib.runs import run_folder

ASSETS = Path(__file__).resolve().parents[1] / "timeline"
SCRIPTS = ("data.js", "arrows.js", "view.js", "overview.js", "find.js", "summary.js", "page.js")
WORST = 10  # warnings that are printed
KINDS = {"idle": "array idle", "small": "small copies", "early": "wait could end earlier"}


def cycles(microseconds):
    return round(microseconds * 1000)


def pack(run, summary, events):
    """Tracks in the order of the file, as columns: begin, length, label, detail and source (into names), pc or -1.
    An arrow is the spans that it leads over: track, index, track, index, .."""
    names, tracks, flows, end = {"": 0}, {}, collections.defaultdict(list), summary["end"]

    def name_id(text):
        return names.setdefault(text, len(names))

    def track(key, chip, kind, **columns):
        return tracks.setdefault(key, {"chip": chip, "kind": kind, "name": "", **columns})
    for event in events:
        chip = event["pid"]
        if event["ph"] == "M" and event["name"] == "thread_name":
            track((chip, event["tid"]), chip, "", begin=[], length=[], label=[], detail=[], source=[], pc=[])["name"] = event["args"]["name"]
        elif event["ph"] == "X":
            to = tracks[chip, event["tid"]]
            to["kind"] = event["cat"]
            to["begin"].append(cycles(event["ts"]))
            to["length"].append(cycles(event["dur"]))
            to["label"].append(name_id(event["name"]))
            to["detail"].append(name_id(event["args"].get("detail", "")))
            to["source"].append(name_id(event["args"].get("source", "")))
            to["pc"].append(event["args"].get("pc", -1))
            end = max(end, cycles(event["ts"] + event["dur"]))
        elif event["ph"] == "C":
            to = track((chip, event["name"]), chip, "counter", begin=[], value=[])
            to["name"] = event["name"]
            to["begin"].append(cycles(event["ts"]))
            to["value"].append(event["args"]["value"])
        elif event["ph"] in "stf":
            flows[event["id"]].append((chip, event["tid"], cycles(event["ts"])))
    places = {key: at for at, key in enumerate(key for key, to in tracks.items() if to["kind"])}
    arrows = [[part for chip, tid, at in flow for part in (places[chip, tid], bisect.bisect(tracks[chip, tid]["begin"], at) - 1)]
              for flow in flows.values()]
    return {"run": Path(run).resolve().name, "end": end, "summary": summary, "names": list(names), "tracks": [tracks[key] for key in places],
            "arrows": arrows}


def report(summary):
    """The worst warnings (tb/observe/timeline/warnings.h), a line each."""
    found = summary.get("warnings", [])
    for w in found[:WORST]:
        late = f", last {w['late']} at {w['late_source']}" if w["late"] else ""
        yield f"{w['cycles']:>12,} cycles  {KINDS[w['kind']]}: {w['what']}{w['source'] and ' at ' + w['source']}{late} ({w['times']} x)"
    if len(found) > WORST:
        yield f"{'':12} {len(found) - WORST} more on the page"


def load(run):
    file = Path(run) / "timeline.json"
    try:
        trace = json.loads(file.read_text(encoding="utf-8"))
        return pack(run, trace["dodeca"], trace["traceEvents"])
    except FileNotFoundError:
        raise Refused(f"{file}: not found; allowed a run directory made with --timeline") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(f"{file}: is no timeline of a run ({type(error).__name__}: {error})") from None


def page(data):
    packed = base64.b64encode(gzip.compress(json.dumps(data, separators=(",", ":")).encode(), mtime=0)).decode()
    text = (ASSETS / "page.html").read_text(encoding="utf-8")
    text = text.replace("/*STYLE*/", (ASSETS / "page.css").read_text(encoding="utf-8"))
    text = text.replace("/*SCRIPT*/", "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS))
    return text.replace("/*DATA*/", packed)


def main():
    run = run_folder(options.parse("timeline", sys.argv[1:]).run)
    data = load(run)
    file = Path(run) / "timeline.html"
    partial = file.with_suffix(f".{os.getpid()}.partial")
    try:
        partial.write_text(page(data), encoding="utf-8")
        os.replace(partial, file)
    finally:
        partial.unlink(missing_ok=True)
    print(f"timeline: {file}", *report(data["summary"]), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
