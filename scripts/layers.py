#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rule between the rooms of the tree (scripts/layers.toml): who may include whom.

Usage: layers.py [ROOT]                 every edge against the rule, with file and line; exit 1 if there is one
       layers.py --folders [ROOT]       folders of the RTL, from the bottom up: Verilator's -y
       layers.py --packages [ROOT]      packages in them but rtl/defs, from the bottom up

An edge is an #include "path", a Python import, an instance of a module, or a name `package::`.
"""
import argparse
import fnmatch
import pathlib
import re
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent.parent
SOURCES = (".cc", ".h", ".sv", ".svh", ".py")
INCLUDE = re.compile(r'^\s*[#`]include\s+"([^"]+)"')
IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import\s+(.+)|import\s+(\w+(?:\s*,\s*\w+)*))")
INSTANCE = re.compile(r"\b([a-z]\w*)\s+(?:#\s*\(|[a-z_]\w*\s*(?:\[[^\]]*\]\s*)?(?:\(|$))")
SCOPE = re.compile(r"\b([a-z]\w*)::")


class BadRule(Exception):
    """A mistake in layers.toml itself."""


class Layers:
    """The rooms, and what each sees, directly and through others."""

    def __init__(self, root):
        self.root = root
        text = tomllib.loads((root / "scripts/layers.toml").read_text(encoding="utf-8"))
        self.tests = text.pop("tests", {}).get("files", [])
        self.rtl = list(text.get("rtl", {}))
        self.direct = {room: sees for table in text.values() for room, sees in table.items()}
        self.closure = {}
        for room in self.direct:
            self.seen_by(room, ())

    def seen_by(self, room, path):
        """All rooms that `room` sees, itself included."""
        if room not in self.direct:
            raise BadRule(f"scripts/layers.toml: \"{path[-1]}\" sees \"{room}\", which is no room")
        if room in path:
            raise BadRule(f"scripts/layers.toml: rooms in a circle: {' -> '.join([*path[path.index(room):], room])}")
        if room not in self.closure:
            self.closure[room] = {room}.union(*(self.seen_by(r, (*path, room)) for r in self.direct[room]))
        return self.closure[room]

    def room_of(self, file):
        """The room of a path below the root; generated files belong to the folder above gen/."""
        folder = pathlib.PurePosixPath(file).parent
        parts = folder.parts
        if "gen" in parts:
            folder = pathlib.PurePosixPath(*parts[:parts.index("gen")])
        return str(folder) if str(folder) in self.direct else None

    def is_test(self, file):
        return any(fnmatch.fnmatch(pathlib.PurePosixPath(file).name, pattern) for pattern in self.tests)


def source_files(root):
    """Tracked and new files of the repository, or all files where there is none."""
    if (root / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, capture_output=True,
                                text=True, check=True).stdout.splitlines()
    else:
        listed = [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()]
    return sorted(f for f in listed if f.endswith(SOURCES) and (root / f).exists())


class Edges:
    """What a line of a file names, as files of the tree."""

    def __init__(self, files, layers):
        self.files = set(files)
        self.units = {}  # module or package -> file
        for f in files:
            if not f.endswith(".sv"):
                continue
            name = pathlib.PurePosixPath(f).stem
            # A stand-in has the name of what it stands in for: the name means the RTL.
            if name not in self.units or layers.room_of(f) in layers.rtl:
                self.units[name] = f

    def of_line(self, file, line):
        if file.endswith((".cc", ".h")):
            if (match := INCLUDE.match(line)) and "/" in match[1]:
                yield match[1]
        elif file.endswith(".py"):
            yield from self.imports(file, line)
        else:
            line = line.split("//")[0]
            for name in [*INSTANCE.findall(line), *SCOPE.findall(line)]:
                if name in self.units and self.units[name] != file:
                    yield self.units[name]

    def imports(self, file, line):
        match = IMPORT.match(line)
        if not match:
            return
        here = str(pathlib.PurePosixPath(file).parent)
        base, names = (match[1], match[2]) if match[1] else ("", match[3])
        modules = [base] if base.strip(".") else re.findall(r"\w+", names)
        for module in modules:
            path = module.lstrip(".").replace(".", "/")
            for folder in (here, "scripts", "tb/unit/scripts"):
                found = [f for f in (f"{folder}/{path}.py", f"{folder}/{path}/__init__.py") if f in self.files]
                if found:
                    yield found[0]
                    break


def findings(root):
    """Every edge against the rule: "file:line: what is wrong"."""
    layers = Layers(root)
    files = source_files(root)
    edges = Edges(files, layers)
    for file in files:
        room = layers.room_of(file)
        if room is None:
            yield f"{file}:1: its folder is no room of scripts/layers.toml"
            continue
        test = layers.is_test(file)
        for number, line in enumerate((root / file).read_text(encoding="utf-8").splitlines(), 1):
            for target in edges.of_line(file, line):
                if target not in edges.files:
                    yield f"{file}:{number}: {target} does not exist"
                elif test:
                    continue
                elif layers.is_test(target):
                    yield f"{file}:{number}: {target} is a test; only tests may see it"
                elif (other := layers.room_of(target)) is not None and other not in layers.closure[room]:
                    yield f"{file}:{number}: {room} may not see {other} ({target})"


def packages(root):
    """Packages of the RTL, lower rooms first."""
    for room in Layers(root).rtl[1:]:
        for folder in (room, f"{room}/gen"):
            yield from sorted(str(p.relative_to(root)) for p in (root / folder).glob("*_pkg.sv"))


def folders(root):
    return Layers(root).rtl[1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=HERE)
    parser.add_argument("--folders", action="store_true")
    parser.add_argument("--packages", action="store_true")
    options = parser.parse_args()
    try:
        if options.folders or options.packages:
            print("\n".join(folders(options.root) if options.folders else packages(options.root)))
            return 0
        found = list(findings(options.root.resolve()))
    except (BadRule, tomllib.TOMLDecodeError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(found) if found else "no edge against the rule")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
