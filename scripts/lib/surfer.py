# SPDX-License-Identifier: Apache-2.0
"""Surfer command files (.sucl): `surfer --command-file chip05.sucl`, in the folder of the waves.

What Surfer's reader takes (its docs/commands and libsurfer/src/{batch_commands,command_parser,fzcmd}.rs):

  a line is one command; `;` separates commands, `#` begins a comment, wherever they stand
  load_file, variable_add   the rest of the line: a file; a path with dots, vectors without their range
  divider_add               one word of letters, digits and _: more is an error, and the line is lost
  marker_set                name and time, separated by a space
  cursor_set                a time, in the waves' unit
"""
import math
import re

COMMANDS = {
    "load_file": r"[^;#]+",
    "variable_add": r"[^;#\s]+",
    "divider_add": r"\w+",
    "zoom_in": r"",
    "cursor_set": r"\d+",
    "goto_cursor": r"",
    "marker_set": r"[^;#\s]+ \d+",
}


def word(text):
    """A title as the one word that a divider can have."""
    return re.sub(r"\W+", "_", text).strip("_")


def variable(signal):
    """GTKWave's name of a signal as Surfer's."""
    return re.sub(r"\[\d+:\d+\]$", "", signal)


def command_file(waves, items, begin, end, window, marks):
    """items: ("divider", text) or ("signal", name); marks: {name: time}, the cursor on the first."""
    lines = [f"load_file {waves}"]
    for kind, text in items:
        lines.append(f"divider_add {word(text)}" if kind == "divider" else f"variable_add {variable(text)}")
    lines += ["zoom_in"] * max(0, int(math.log2(max(1, (end - begin) / window))))
    lines += [f"marker_set {name} {time}" for name, time in marks.items()]
    return "\n".join(lines + [f"cursor_set {next(iter(marks.values()))}", "goto_cursor"]) + "\n"


def wrong_lines(text, signals):
    """Lines that Surfer would reject, and variables that the waves have not; signals as GTKWave names them."""
    have = {variable(name) for name in signals}
    for line in text.splitlines():
        name, _, rest = line.partition(" ")
        if name not in COMMANDS or not re.fullmatch(COMMANDS[name], rest):
            yield line
        elif name == "variable_add" and rest not in have:
            yield rest
