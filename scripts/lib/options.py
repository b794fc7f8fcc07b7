# SPDX-License-Identifier: Apache-2.0
"""Command lines by the one table, scripts/options.toml: parsed, rejected with one line, explained."""
import argparse
import ast
import math
import pathlib
import re
import tomllib

SCRIPTS = pathlib.Path(__file__).resolve().parents[1]
KINDS = ("values", "whole", "number", "text", "path")


class Usage(Exception):
    """What is wrong; what is allowed."""
    status = 2


class Parser(argparse.ArgumentParser):
    def error(self, message):
        missing = message.removeprefix("the following arguments are required: ").split(", ")[0]
        if missing != message.split(", ")[0]:
            raise Usage(f"{missing} is missing; allowed {self.needed[missing]}")
        if empty := re.match(r"argument (?:\S+/)?(\S+): expected (one|at least one) argument", message):
            raise Usage(f"{empty[1]} needs a value; allowed {self.needed[empty[1]]}")
        message = re.sub(r"^argument (?:\S+/)?(\S+): ", r"\1: ", message)
        raise Usage(f"{message}; see: {self.prog} --help")


def table():
    """{command, or "command word": its rows}."""
    found = {}
    for name, rows in tomllib.loads((SCRIPTS / "options.toml").read_text()).items():
        words = {f"{name} {word}": inner for word, inner in rows.items() if re.fullmatch("[a-z]+", word) and word != "doc"}
        found |= words or {name: rows}
    return found


def docstring(command):
    for file in (SCRIPTS / f"commands/{command}.py", SCRIPTS / command / "__main__.py"):
        if file.exists():
            return ast.get_docstring(ast.parse(file.read_text()))
    return None


def allowed(row):
    if "values" in row:
        return ", ".join(row["values"])
    return next((f"{row[kind][0]} .. {row[kind][1]}" for kind in ("whole", "number") if kind in row),
                f"{row.get('text') or row.get('path')}, not empty")


def value_of(name, row):
    """The function that turns a word into the value of the option."""
    def convert(text):
        value = None
        if "whole" in row and re.fullmatch(r"[0-9]{1,20}|0x[0-9a-fA-F]{1,16}", text):
            value = int(text, 0 if text.startswith("0x") else 10)
        elif "number" in row and re.fullmatch(r"[0-9.]+(e[-+]?[0-9]{1,4})?", text):
            try:
                value = float(text)
            except ValueError:
                pass
        elif "path" in row and text:
            value = pathlib.Path(text)
        elif "text" in row and text or text in row.get("values", ()):
            value = text
        limits = row.get("whole") or row.get("number") or (-math.inf, math.inf)
        if value is None or isinstance(value, (int, float)) and not limits[0] <= value <= limits[1]:
            raise Usage(f"{name} is '{text}'; allowed {allowed(row)}")
        return value
    return convert


def parser_of(command, rows):
    parser = Parser(prog=f"scripts/dodeca {command}", allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
                    description=rows.get("doc") or docstring(command.split()[0]))
    parser.needed = {}  # by option and argument: what is allowed
    for names, row in rows.items():
        if names == "doc":
            continue
        names = names.split()
        kind = next((k for k in KINDS if k in row), None)
        how = {"help": row.get("doc", "") + (f" ({row['default']})" if "default" in row else "")}
        if kind:
            what = row[kind] if kind in ("text", "path") else names[-1].strip("-").upper()
            parser.needed[names[-1] if names[-1].startswith("-") else what] = allowed(row)
            how |= {"type": value_of(names[-1], row), "metavar": what, "default": row.get("default")}
            if kind in ("values", "whole", "number"):
                how["help"] = f"{how['help']}: {allowed(row)}".removeprefix(": ")
            if kind == "path" and "default" in row:
                how["default"] = pathlib.Path(row["default"])
            how |= {"nargs": row["count"]} if "count" in row else {}
            how |= {"const": row["alone"]} if "alone" in row else {}
            how |= {"action": "append", "default": []} if row.get("many") else {}
        else:
            how["action"] = "store_true"
        if names[-1].startswith("-"):
            parser.add_argument(*names, dest=row.get("name", names[-1].strip("-").replace("-", "_")), **how)
        else:
            parser.add_argument(row.get("name", names[-1].lower()), **how)
    return parser


def parse(command, argv):
    """The values of a command's options; a command with words has its own in `word`. Usage, or SystemExit for --help."""
    rows, word = table(), None
    words = [name.split()[1] for name in rows if name.startswith(f"{command} ")]
    if words:
        if argv[:1] in (["-h"], ["--help"]):
            print(f"usage: scripts/dodeca {command} {{{','.join(words)}}} ...\n\n{docstring(command)}")
            raise SystemExit(0)
        if not argv or argv[0] not in words:
            raise Usage(f"{f'{argv[0]!r} is unknown' if argv else 'a word is missing'}; allowed: {', '.join(words)}")
        word, *argv = argv
        command = f"{command} {word}"
    parser = parser_of(command, rows[command])
    args, more = parser.parse_known_intermixed_args(argv)
    if more:
        options = [option for action in parser._actions for option in action.option_strings]
        parser.error(f"'{more[0]}' is unknown or one too many; allowed: {', '.join(options)}")
    args.word = word
    return args
