#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""timeline.html beside the timeline.json of a run: one page, no network.

  scripts/dodeca timeline out/latest
"""
import base64
import gzip
import json
import os
import sys
from pathlib import Path

from lib import options
from lib.errors import Refused
from lib.runs import run_folder

ASSETS = Path(__file__).resolve().parents[1] / "timeline"
SCRIPTS = ("data.js", "view.js", "find.js", "summary.js", "page.js")


def cycles(microseconds):
    return round(microseconds * 1000)


def pack(run, summary, events):
    """Tracks in the order of the file, as columns: begin, length, label, detail and source (into names), pc or -1."""
    names, tracks, end = {"": 0}, {}, summary["end"]

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
    return {"run": Path(run).resolve().name, "end": end, "summary": summary, "names": list(names), "tracks": [t for t in tracks.values() if t["kind"]]}


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
    print(f"timeline: {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
