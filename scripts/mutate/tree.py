# SPDX-License-Identifier: Apache-2.0
"""A copy of the repository whose RTL holds the mutants, built beside the design: build/mutants."""
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

from lib import rtl
from lib.errors import Refused

from .sample import Mutant, described, sample
from .schemata import Edit, Overlap, one_line, with_edits
from .syntax import SyntaxProblem

BUILT = ("rtl", "fabric", "cmodel", "tb", "CMakeLists.txt", "scripts/cmake", "regress/suites.toml")
MOST = 8000                  # tb/dut/mutants.h has room for 8,191
TOLERANT = ("-Wno-fatal", "-Wno-lint", "-Wno-style", "--error-limit", "0")
ERROR = re.compile(r"([\w./-]+\.sv):(\d+):\d+:")


def write_if_other(path, data):
    """What is the same already keeps its time: nothing is built again for it."""
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return True
    return False


class Tree:
    """The mutants, their edits by file, and the folder in which they are built. `digest`: equal for equal ones."""

    def __init__(self, root, folder, files, n, seed, bugs):
        self.root, self.folder = root, folder
        self.sources = {f: (root / f).read_text() for f in rtl.sources(root)}
        self.mutants, self.edits = [], {}
        self._bugs(bugs)
        self._sample(files, n, seed)
        self.digest = self._digest()

    def _digest(self):
        """Of the mutants and of all that is compiled."""
        content = hashlib.sha256(repr([self.mutants, sorted(self.edits.items())]).encode())
        for name in rtl.listed(self.root, *BUILT):
            content.update(name.encode() + (self.root / name).read_bytes())
        return content.hexdigest()[:16]

    def _bugs(self, bugs):
        self.taken = {}
        for bug in bugs:
            number = len(self.mutants) + 1
            for change in bug.changes:
                edit = Edit(number, *change.place(self.sources[change.file]), change.kind == "statements")
                self.edits.setdefault(change.file, []).append(edit)
                self.taken.setdefault(change.file, []).append((edit.start, edit.end))
            first = bug.changes[0]
            line = self.sources[first.file].count("\n", 0, self.sources[first.file].index(first.before)) + 1
            self.mutants.append(Mutant(number, first.file, line, "bug", one_line(first.before), one_line(first.after), "",
                                       bug.name, bug.blocks))

    def _sample(self, files, n, seed):
        try:
            chosen = sample({f: self.sources[f] for f in files}, n, seed, self.taken)
        except SyntaxProblem as problem:
            raise Refused(f"an RTL source cannot be read: {problem}") from None
        for file, change in chosen:
            number = len(self.mutants) + 1
            self.edits.setdefault(file, []).append(
                Edit(number, change.start, change.end, change.after, change.operator == "assignment dropped", change.wider))
            self.mutants.append(described(number, file, change, self.sources[file]))

    # --- files
    def write(self):
        """All files of the repository, the RTL with its mutants. Files that went away go away here."""
        wanted = set(rtl.listed(self.root))
        for name in wanted:
            data = self.source_with_mutants(name).encode() if name in self.edits else (self.root / name).read_bytes()
            path = self.folder / name
            if write_if_other(path, data):
                path.chmod((self.root / name).stat().st_mode)
        for path in self.folder.rglob("*"):
            name = str(path.relative_to(self.folder))
            if path.is_file() and name not in wanted and not name.startswith(("build/", "out/", "dropped.json")):
                path.unlink()

    def source_with_mutants(self, name):
        try:
            return with_edits(self.sources[name], self.edits[name])
        except Overlap as overlap:
            names = {m.number: m.name or m.operator for m in self.mutants}
            raise Refused(f"{name}: {names[overlap.numbers[0]]} and {names[overlap.numbers[1]]} overlap in part") from None

    def plain(self, number):
        """{file: its text with this mutant only}, as somebody would have written it."""
        found = {}
        for file, edits in self.edits.items():
            for edit in sorted((e for e in edits if e.number == number), key=lambda e: -e.start):
                text = found.get(file, self.sources[file])
                found[file] = text[:edit.start] + (edit.after or ";") + text[edit.end:]
        return found

    def drop_broken(self):
        """Leaves out the mutants that Verilator does not take, such as one in a function of a parameter; how many. Which
        is kept: the same tree is neither asked about nor written with them again, and so not built again."""
        path = self.folder / "dropped.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        is_known = known.get("digest") == self.digest
        dropped = set(known["numbers"]) if is_known else set()
        for _ in range(30):
            self._leave_out(dropped)
            self.write()
            if is_known:
                return len(dropped)
            text = self._verilated()
            if not text:
                path.write_text(json.dumps({"digest": self.digest, "numbers": sorted(dropped)}))
                return len(dropped)
            bad = self._blamed(text)
            if not bad:
                raise Refused("the RTL with mutants is not taken by Verilator: " + text.strip().splitlines()[0], 3)
            dropped |= bad
        raise Refused("the RTL with mutants is not taken by Verilator after thirty rounds", 3)

    def _leave_out(self, numbers):
        for file in self.edits:
            self.edits[file] = [e for e in self.edits[file] if e.number not in numbers]
        self.mutants = [m for m in self.mutants if m.number not in numbers]

    def _verilated(self):
        """Verilator's errors on the chip, or nothing."""
        status, text = rtl.verilator(self.folder, "mini", "chip", TOLERANT)
        return "\n".join(line for line in text.splitlines() if "%Error" in line or "Location of" in line) if status else ""

    def _blamed(self, errors):
        """Numbers of the mutants in the lines that the errors name."""
        found = set()
        for file, line in ERROR.findall(errors):
            name = str(pathlib.Path(file))
            for edit in self.edits.get(name, ()):
                text = self.sources[name]
                first = text.count("\n", 0, edit.start) + 1
                if first <= int(line) <= first + text.count("\n", edit.start, edit.end):
                    found.add(edit.number)
        return found

    # --- build
    def configure(self):
        build = self.folder / "build"
        if not (build / "build.ninja").exists():
            self._run("cmake", "-S", self.folder, "-B", build, "-G", "Ninja", "-DCMAKE_CXX_COMPILER=clang++-19",
                      "-DDODECA_MUTANTS=ON", *os.environ.get("DODECA_CMAKE", "").split())

    def build(self, targets):
        """The compiler's errors are shown."""
        self._run("cmake", "--build", self.folder / "build", "--target", *sorted(t for t in targets if t))

    def _run(self, *command):
        print("+ " + " ".join(map(str, command)), file=sys.stderr)
        if subprocess.run([str(c) for c in command], stdout=sys.stderr).returncode:
            raise Refused("the mutants cannot be built, see above", 3)
