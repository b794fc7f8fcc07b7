# SPDX-License-Identifier: Apache-2.0
"""Two timelines (tb/observe/timeline/README.md): engines, work, links; of each what differs first and what most."""
import json

from compare import BadInput

CHIP_SUMS = ("instructions", "hbm_read", "hbm_written", "sbuf_written", "psum_written", "messages", "received", "macs")


def is_timeline(head):
    """By the first bytes of a file."""
    return b'"displayTimeUnit"' in head


class Timeline:
    """Cycles count from the doorbell (`begin`), so that a longer load moves nothing."""

    def __init__(self, path):
        try:
            trace = json.loads(path.read_text(encoding="utf-8"))
            summary = trace["dodeca"]
            self.begin, self.end = summary["begin"], summary["end"]
            self.engines = {(e["chip"], e["core"], e["engine"]): {"busy": e["busy"], **e["waits"]}
                            for e in summary["engines"]}
            self.chips = {c["chip"]: c for c in summary["chips"]}
            names, self.work, self.links = {}, {}, {}
            for event in trace["traceEvents"]:
                if event["ph"] == "M" and event["name"] == "thread_name":
                    names[event["pid"], event["tid"]] = event["args"]["name"]
                elif event["ph"] == "X" and event["cat"] in ("work", "dma", "link"):
                    track = (event["pid"], names[event["pid"], event["tid"]])
                    # A link itself has states; its virtual networks have packets.
                    if event["cat"] == "link" and " VN " not in track[1]:
                        continue
                    begin = round(1000 * event["ts"])
                    span = {"what": event["name"], "pc": event["args"].get("pc"), "start": begin - self.begin,
                            "duration": round(1000 * (event["ts"] + event["dur"])) - begin,
                            "detail": event["args"].get("detail", "")}
                    (self.links if event["cat"] == "link" else self.work).setdefault(track, []).append(span)
        except OSError as error:
            raise BadInput(f"{path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{path}: is no timeline of a run ({type(error).__name__}: {error})") from None
        self.cycles = self.end - self.begin

    def shares(self, engine):
        """{"busy": part of the run's cycles, "semaphore": ..}"""
        sums = self.engines.get(engine, {})
        return {reason: count / self.cycles if self.cycles else 0.0 for reason, count in sums.items()}


def named(track):
    return f"chip {track[0]} {track[1]}"


def show(span):
    if span is None:
        return "absent"
    pc = "" if span["pc"] is None else f" pc {span['pc']}"
    return f"{span['what']}{pc} at {span['start']:+}, {span['duration']} cycles"


def engines(a, b):
    """The engine and reason whose share of the cycles differs most."""
    found = []
    for engine in sorted(a.engines.keys() | b.engines.keys()):
        x, y = a.shares(engine), b.shares(engine)
        found += [(abs(y.get(r, 0.0) - x.get(r, 0.0)), engine, r, x.get(r, 0.0), y.get(r, 0.0))
                  for r in sorted(x.keys() | y.keys()) if x.get(r, 0.0) != y.get(r, 0.0)]
    if not found:
        return []
    _, (chip, core, engine), reason, x, y = max(found, key=lambda f: f[0])
    name, what = f"chip {chip} core {core} {engine}", "busy" if reason == "busy" else f"idle: {reason}"
    count = len({f[1] for f in found})
    return [{"of": "engines", "most": name, "reason": reason, "a": round(x, 4), "b": round(y, 4), "engines": count,
             "text": f"engines: {name} differs most, {what} {x:.1%} and {y:.1%} of the cycles; {count} of "
                     f"{len(a.engines.keys() | b.engines.keys())} differ"}]


def spans(a, b, of, same):
    """The first span in time that differs, and the one whose length differs most; `same`: what must be equal."""
    found, tracks = [], a.keys() | b.keys()
    for track in sorted(tracks):
        x, y = a.get(track, []), b.get(track, [])
        for at in range(max(len(x), len(y))):
            p, q = (side[at] if at < len(side) else None for side in (x, y))
            if p is None or q is None or any(p[key] != q[key] for key in same):
                longer = abs(q["duration"] - p["duration"]) if p and q and p["what"] == q["what"] else 0
                found.append((min(s["start"] for s in (p, q) if s), track, at, p, q, longer))
    if not found:
        return []
    _, track, at, p, q, _ = min(found, key=lambda f: f[:3])
    first = {"of": of, "first": named(track), "index": at, "a": p, "b": q, "different": len(found)}
    first["text"] = (f"{of}: first {named(track)}, number {at}: {show(p)}; {show(q)}\n"
                     + "".join(f"  {s['detail']}\n" for s in (p or q,) if s["detail"])
                     + f"  {len(found)} differ, on {len({f[1] for f in found})} of {len(tracks)} tracks")
    most = max(found, key=lambda f: f[5])
    if most[5]:
        _, track, at, p, q, _ = most
        first["most"] = {"track": named(track), "index": at, "a": p, "b": q}
        first["text"] += f"\n  most: {named(track)}, number {at}: {show(p)}; {show(q)}"
    return [first]


def links(a, b):
    """The link whose cycles with packets differ most."""
    found = []
    for track in sorted(a.keys() | b.keys()):
        x, y = ((len(side.get(track, [])), sum(s["duration"] for s in side.get(track, []))) for side in (a, b))
        if x != y:
            found.append((abs(y[1] - x[1]), track, x, y))
    if not found:
        return []
    _, track, x, y = max(found, key=lambda f: f[0])
    return [{"of": "link load", "most": named(track), "a": {"packets": x[0], "cycles": x[1]},
             "b": {"packets": y[0], "cycles": y[1]}, "links": len(found),
             "text": f"link load: {named(track)} differs most, {x[0]} packets in {x[1]} cycles and {y[0]} in {y[1]}; "
                     f"{len(found)} differ"}]


def compare(path_a, path_b):
    a, b = Timeline(path_a), Timeline(path_b)
    found = []
    if a.cycles != b.cycles:
        found.append({"of": "cycles", "a": a.cycles, "b": b.cycles,
                      "text": f"cycles from doorbell to completion: {a.cycles} and {b.cycles}"
                              + (f" ({b.cycles / a.cycles - 1:+.2%})" if a.cycles else "")})
    for chip in sorted(a.chips.keys() | b.chips.keys()):
        x, y = a.chips.get(chip, {}), b.chips.get(chip, {})
        found += [{"of": "chips", "chip": chip, "field": name, "a": x.get(name), "b": y.get(name),
                   "text": f"chip {chip} {name}: {x.get(name, 'absent')} and {y.get(name, 'absent')}"}
                  for name in CHIP_SUMS if x.get(name) != y.get(name)]
    found += engines(a, b)
    found += spans(a.work, b.work, "instructions", ("what", "pc", "start", "duration"))
    found += spans(a.links, b.links, "packets", ("what", "detail", "start", "duration"))
    return found + links(a.links, b.links)
