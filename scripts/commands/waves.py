#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Views of a failed run's waves: what the root-cause trace touched, marker A at the cause, B at the divergence.

  waves.py RUN                     writes the views, opens GTKWave on the cause's chip
  waves.py RUN --write             only writes waves/chipNN.gtkw (GTKWave) and .sucl (Surfer)
  waves.py FST --block NAME        a block of tb/views (dma, fabric ..) in any waves of a chip
  waves.py .. --screenshot FILE    GTKWave under Xvfb, its window as a picture
  waves.py --check FST VIEW...     1 if a view names a signal that the waves have not, or a
                                   command that Surfer does not know

RUN is a run's directory, e.g. out/latest. The signals of a block are those of tb/views.
"""
import json
import math
import os
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from lib import options, surfer
from lib.errors import Refused
from lib.runs import run_folder

ROOT = Path(__file__).resolve().parents[2]
VIEWS = ROOT / "tb" / "views"
ENGINE_BLOCKS = {"Tensor": "tensor_array", "Vector": "vector_engine", "Act": "act_engine",
                 "Sync": "sequencer", "Rx": "fabric"}
SEQUENCERS = ["Tensor", "Vector", "Act", "Sync"]
BEFORE = 40_000  # picoseconds that the window shows before its first marker; a cycle has 1,000
ZOOM, CYCLES = -13.5, 60  # of GTKWave: so many cycles in a window
MOST = 40   # signals of an instance
TITLE = 72  # letters of a row of text
SEMAPHORE = re.compile(r"\b([01])\.(\d{1,3}) (?:\+=|>=|==|holds|\+\d|-\d)|semaphore ([01])\.(\d{1,3})")


def signals_of(fst):
    """Full names with their ranges, as GTKWave writes them."""
    fst2vcd = subprocess.Popen(["fst2vcd", str(fst)], stdout=subprocess.PIPE, text=True)
    scope, names = [], set()
    for line in fst2vcd.stdout:
        words = line.split()
        if not words:
            continue
        if words[0] == "$scope":
            scope.append(words[2])
        elif words[0] == "$upscope":
            scope.pop()
        elif words[0] == "$var":
            names.add(".".join(scope + [words[4]]) + (words[5] if words[5] != "$end" else ""))
        elif words[0] == "$enddefinitions":
            break
    fst2vcd.kill()
    fst2vcd.wait()
    return names


def fitted(line, have):
    """A view's line with the width that the signal has in these waves; None if they do not have it."""
    if not line.startswith("TOP") or line in have:
        return line
    name = re.sub(r"\[\d+:\d+\]$", "[", line)
    return next((signal for signal in have if signal.startswith(name) and re.fullmatch(r"\d+:\d+\]", signal[len(name):])),
                None)


def fitted_block(fst, have, block, core, engine):
    """block_lines() as these waves have them."""
    lines = [(line, fitted(line, have)) for line in block_lines(block, core, engine)]
    for line, here in lines:
        if here is None:
            raise Refused(f"{fst}: {line} of tb/views/{block}.gtkw is not in these waves", 1)
    return [here for _, here in lines]


def signals_in(lines):
    return [line.rsplit("} ", 1)[-1] for line in lines if line.startswith(("TOP", "+{"))]


def missing(fst, view):
    have, text = signals_of(fst), Path(view).read_text()
    if Path(view).suffix == ".sucl":
        return list(surfer.wrong_lines(text, have))
    return [name for name in signals_in(text.splitlines()) if name not in have]


def block_lines(block, core, engine):
    """The hand-made view of a block, for another core, sequencer."""
    text = (VIEWS / f"{block}.gtkw").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("[*]")]
    if core is not None:
        lines = [line.replace("gen_core[0]", f"gen_core[{core}]") for line in lines]
    if block == "sequencer" and engine in SEQUENCERS:
        lines = [line.replace("gen_seq[0]", f"gen_seq[{SEQUENCERS.index(engine)}]") for line in lines]
    return lines


def instance_lines(have, instance):
    """The signals of an instance itself, as a view has them."""
    within = re.compile(re.escape(f"TOP.{instance}.") + r"[a-z][^.]*$")  # no parameters
    names = sorted(name for name in have if within.match(name))[:MOST]
    return [part for name in names for part in ("@22" if name.endswith("]") else "@28", name)]


def semaphores(divergence, chip):
    """Those that the operations on the way wait for or update, and those that the cause names."""
    cause = divergence.get("cause") or {}
    texts = [step.get("instruction", "") + " " + step["what"] for step in divergence["path"] if step["chip"] == chip]
    texts += [cause["why"]] if cause.get("chip") == chip else []
    found = [match.groups() for text in texts for match in SEMAPHORE.finditer(text)]
    return sorted({f"{core or other}.{number or last}" for core, number, other, last in found})


def value_of(semaphore):
    """The signal (tb/dut/trace/semaphore_values.sv) of CORE.NUMBER."""
    core, number = map(int, semaphore.split("."))
    return f"TOP.chip.u_semaphores.u_values.gen_core[{core}].gen_upper[{number // 16}].gen_lower[{number % 16}].value[15:0]"


def places(divergence, chip):
    """(block, core, engine, note) along the root-cause trace on one chip, the cause first."""
    found, seen = [], set()

    def add(block, core, engine, note):
        if (VIEWS / f"{block}.gtkw").exists() and (block, core) not in seen:
            seen.add((block, core))
            found.append((block, core, engine, note))

    cause = divergence.get("cause")
    if cause and cause["chip"] == chip:
        add(cause["block"], cause["core"], cause.get("engine"), "earliest cause: " + cause["why"])
        # What an assertion looks at, and what stands in no view.
        if not found or cause["why"].startswith("assertion "):
            found.insert(0, (None, cause["core"], None, "earliest cause: " + cause["why"]))
    for step in divergence["path"]:
        if step["chip"] != chip:
            continue
        engine = step["engine"]
        block = "dma" if engine.startswith("Dma") else ENGINE_BLOCKS.get(engine, "")
        note = f"{step['state']}: {engine} pc {step['pc']}"
        add(block, step.get("core"), engine, note)
        if engine in SEQUENCERS:
            add("sequencer", step.get("core"), engine, note)
    if names := semaphores(divergence, chip):
        add("semaphores", None, None, f"on the way: {', '.join(names)}")
    if not found:
        add("fabric", None, None, "on the way")
    return found


def comment(text):
    """A row of text. GTKWave makes the names' pane as wide as its longest row: what is longer, divergence.json has."""
    return ["@200", "-" + textwrap.shorten(text, TITLE, placeholder=" ..")]


def marker_names(divergence, both):
    """What stands over the markers: at the first one the cause in full, for the names' pane has no room."""
    cause = divergence.get("cause")
    first = f"cause: {' '.join(cause['why'].split())}" if cause else "divergence"
    return [f"[markername] A{first}", "[markername] Bdivergence"] if both else [f"[markername] B{first}"]


def named(block, line):
    """A row under its name in its block: GTKWave shows only the last part of a path."""
    return f"+{{{block} {line.rsplit('.', 1)[1]}}} {line}"


def expected_lines(divergence, chip):
    """What the first wrong elements should have been."""
    first = divergence.get("first")
    if not first or first["chip"] != chip:
        return []
    lines = [f"core cycle {first['cycle']}: {first['actual']}, {first['where']}"]
    for e in first["elements"]:
        where = ", ".join(f"{key} {e[key]:#x}" if key == "byte" else f"{key} {e[key]}"
                          for key in ("row", "column", "bank", "byte", "place") if key in e)
        lines.append(f"{where}: expected {e['expected']} = {e['expected_value']}, "
                     f"actual {e['actual']} = {e['actual_value']}")
    return lines


def whole_waves(run, divergence):
    """Of a run made with --waves: its files beside divergence.json, from its first cycle to behind the divergence."""
    first, cause = divergence.get("first") or {}, divergence.get("cause") or {}
    marker = first.get("cycle") or cause.get("cycle") or 0
    return {"files": sorted(path.name for path in run.glob("chip[0-9][0-9].fst")), "first": 0, "last": marker + 100, "marker": marker,
            **({"cause": cause["cycle"]} if cause.get("cycle") else {})}


def write_views(run):
    divergence = json.loads((run / "divergence.json").read_text())
    written = []
    waves = divergence.get("waves") or whole_waves(run, divergence)
    begin, end = 1000 * waves["first"] + 500, 1000 * waves["last"] + 1000
    marks = {"divergence": 1000 * waves["marker"] + 1000}
    if begin <= 1000 * waves.get("cause", -1) + 1000 <= end:
        marks = {"cause": 1000 * waves["cause"] + 1000} | marks
    first = min(marks.values())
    # Both markers if that leaves something to see, else what surrounds the first.
    span = (max(marks.values()) - first + 2 * BEFORE) / (1000 * CYCLES)
    zoom = ZOOM - math.log2(span) if 1 < span <= 8 else ZOOM
    for name in waves["files"]:
        fst = run / name
        chip = int(re.search(r"chip(\d+)", fst.name).group(1))
        have = signals_of(fst)
        body, items = [], []

        def title(text):
            body.extend(comment(text))
            items.append(("divider", text))

        def row(block, line):
            body.append(named(block, line) if line.startswith("TOP") else line)
            if line.startswith("TOP"):
                items.append(("signal", line))

        def value(semaphore):
            body.extend(("@24", f"+{{value of {semaphore}}} {value_of(semaphore)}"))
            items.append(("signal", value_of(semaphore)))
        for line in expected_lines(divergence, chip):
            title(line)
        for block, core, engine, note in places(divergence, chip):
            title(f"chip {chip}{'' if core is None else f' core {core}'} {block or divergence['cause']['instance']}: {note}")
            for name in semaphores(divergence, chip) if block == "semaphores" else []:
                value(name)
            for line in fitted_block(fst, have, block, core, engine) if block else \
                    instance_lines(have, divergence["cause"]["instance"]):
                row(block or divergence["cause"]["block"], line)
        head = [f"[*] chip {chip} of {divergence['kind']}, marker A at the cause, B at the divergence",
                f'[dumpfile] "{fst.name}"', f"[timestart] {max(begin, first - BEFORE)}",
                "[size] 1600 1000", f"*{zoom:.1f} {first} {marks.get('cause', -1)} {marks['divergence']}" + " -1" * 24,
                "[sst_width] 200", "[signals_width] 420", *marker_names(divergence, "cause" in marks)]
        fst.with_suffix(".gtkw").write_text("\n".join(head + body) + "\n")
        fst.with_suffix(".sucl").write_text(surfer.command_file(fst.name, items, begin, end, 2 * BEFORE, marks))
        written.append(fst.with_suffix(".gtkw"))
        assert begin <= first <= end, f"{fst}: the marker is outside the waves"
    return written, divergence


def write_block(fst, block, core):
    """The view of one block in any waves, beside them."""
    known = sorted(view.stem for view in VIEWS.glob("*.gtkw"))
    if block not in known:
        raise Refused(f"--block is '{block}'; allowed: {', '.join(known)}")
    if not fst.exists():
        raise Refused(f"{fst}: no such file; allowed: waves of a chip, chipNN.fst")
    view = fst.with_name(f"{fst.stem}_{block}.gtkw")
    head = [f"[*] {block} of core {core}", f'[dumpfile] "{fst.name}"', "[size] 1600 1000",
            f"*{ZOOM}" + " -1" * 27, "[signals_width] 420"]
    view.write_text("\n".join(head + fitted_block(fst, signals_of(fst), block, core, None)) + "\n")
    return view


def show(fst, view, picture):
    if picture:
        screenshot(fst, view, picture.resolve())
        return
    os.chdir(view.parent)
    os.execvp("gtkwave", ["gtkwave", fst.name, view.name])


def screenshot(fst, view, picture):
    """GTKWave on a display of its own; the picture is taken when its window stands still."""
    display = f":{90 + os.getpid() % 400}"
    server = subprocess.Popen(["Xvfb", display, "-screen", "0", "1640x1050x24"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    env = dict(os.environ, DISPLAY=display)
    viewer = None
    try:
        time.sleep(1)
        viewer = subprocess.Popen(["gtkwave", "--nomenu", "--rcvar", "hide_sst on", fst.name,
                                   view.name], cwd=view.parent, env=env,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        last = b""
        for _ in range(40):
            time.sleep(1.5)
            if viewer.poll() is not None:
                raise Refused("gtkwave ended: " + viewer.stdout.read()[-300:], 3)
            shot = subprocess.run(["import", "-window", "root", "png:-"], env=env, capture_output=True).stdout
            if shot and shot == last and len(shot) > 8000:
                picture.write_bytes(shot)
                return
            last = shot
        raise Refused("gtkwave showed nothing within a minute", 3)
    finally:
        for process in (viewer, server):
            if process:
                process.terminate()
                process.wait()


def main():
    args = options.parse("waves", sys.argv[1:])
    if args.check:
        wrong = [(view, name) for view in args.check[1:] for name in missing(args.check[0], view)]
        for view, name in wrong:
            print(f"{view}: {name} is not in {args.check[0]}")
        sys.exit(1 if wrong else 0)
    if not args.run:
        raise Refused("which run? allowed: a run's directory, such as out/latest")
    if args.block:
        fst = args.run.resolve()
        view = write_block(fst, args.block, args.core)
        if not args.write:
            show(fst, view, args.screenshot)
        return
    args.run = run_folder(args.run)
    if not (args.run / "divergence.json").exists():
        raise Refused(f"{args.run}: no divergence.json; allowed: the directory of a run that failed")
    views, divergence = write_views(args.run.resolve())
    if args.write:
        return
    if not views:
        raise Refused(f"{args.run}: no waves; allowed: a run that failed and could be repeated, or one with --waves", 3)
    chip = args.chip
    if chip is None:
        chip = divergence["cause"]["chip"] if divergence.get("cause") else None
    chosen = [view for view in views if view.name == f"chip{chip:02}.gtkw"] if chip is not None else views
    if not chosen:
        raise Refused(f"--chip is {chip}; allowed: " + ", ".join(view.stem for view in views))
    show(chosen[0].with_suffix(".fst"), chosen[0], args.screenshot)


main()
