#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/layers.py sees every kind of edge against the rule, and names file and line."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))
import layers  # noqa: E402

RULE = """
[rtl]
"rtl/defs" = []
"rtl/low" = ["rtl/defs"]
"rtl/high" = ["rtl/low"]
[cpp]
"tb/low" = []
"tb/high" = ["tb/low"]
[python]
"scripts" = []
"scripts/high" = ["scripts"]
[tests]
files = ["*_test.cc"]
"""
SOURCES = {"rtl/low/low_pkg.sv": "package low_pkg;\nendpackage\n", "rtl/low/small.sv": "module small;\nendmodule\n",
           "rtl/high/large.sv": "module large;\n  small u_small ();\n  assign x = low_pkg::One;\nendmodule\n",
           "rtl/high/high_pkg.sv": "package high_pkg;\nendpackage\n",
           "rtl/low/gen/made_pkg.sv": "package made_pkg;\nendpackage\n",
           "tb/low/a.h": "#pragma once\n", "tb/high/b.h": '#include "tb/low/a.h"\n', "tb/low/a_test.cc": '#include "tb/high/b.h"\n',
           "scripts/tool.py": "import sys\n", "scripts/high/__init__.py": "import tool\n"}


class Planted(unittest.TestCase):
    """One edge more than the rule allows, in a small tree."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("scripts/layers.toml", RULE)
        for name, text in SOURCES.items():
            self.write(name, text)

    def write(self, name, text):
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def found(self):
        return list(layers.findings(self.root))

    def test_the_small_tree_is_clean(self):
        self.assertEqual(self.found(), [])

    def test_an_edge_upward_is_named_with_file_and_line(self):
        for name, text, target in [
                ("tb/low/a.h", '#pragma once\n#include "tb/high/b.h"\n', "tb/high"),
                ("rtl/low/small.sv", "module small;\n  large u_large ();\nendmodule\n", "rtl/high"),
                ("rtl/low/small.sv", "module small;\n  large #(\n    .A(1)\n  ) u_large ();\nendmodule\n", "rtl/high"),
                ("rtl/low/small.sv", "module small (\n  input high_pkg::row_t row_i\n);\nendmodule\n", "rtl/high"),
                ("scripts/tool.py", "import sys\nfrom high import this\n", "scripts/high")]:
            with self.subTest(text=text):
                self.write(name, text)
                room = str(pathlib.PurePosixPath(name).parent)
                self.assertEqual([line.split(" (")[0] for line in self.found()], [f"{name}:2: {room} may not see {target}"])
                self.write(name, SOURCES[name])

    def test_comments_are_no_edges(self):
        self.write("rtl/low/small.sv", "module small;\n  // large u_large (); high_pkg::x\nendmodule\n")
        self.assertEqual(self.found(), [])

    def test_nothing_but_tests_sees_a_test(self):
        self.write("tb/high/b.h", '#include "tb/low/a_test.cc"\n')
        self.assertEqual(self.found(), ["tb/high/b.h:1: tb/low/a_test.cc is a test; only tests may see it"])

    def test_a_folder_that_is_not_listed_is_refused(self):
        self.write("tb/new/c.h", "")
        self.assertEqual(self.found(), ["tb/new/c.h:1: its folder is no room of scripts/layers.toml"])

    def test_a_file_that_is_not_there(self):
        self.write("tb/high/b.h", '#include "tb/low/gone.h"\n')
        self.assertEqual(self.found(), ["tb/high/b.h:1: tb/low/gone.h does not exist"])

    def test_mistakes_in_the_rule_end_with_one_line(self):
        for before, after, words in [('"tb/low" = []', '"tb/low" = ["tb/high"]', "rooms in a circle: tb/low -> tb/high -> tb/low"),
                                     ('"tb/low" = []', '"tb/low" = ["tb/x"]', '"tb/low" sees "tb/x", which is no room')]:
            with self.subTest(after=after):
                self.write("scripts/layers.toml", RULE.replace(before, after))
                done = subprocess.run([sys.executable, ROOT / "scripts/layers.py", self.root], capture_output=True, text=True)
                self.assertEqual(done.returncode, 1)
                self.assertEqual(done.stderr, f"scripts/layers.toml: {words}\n")

    def test_folders_and_packages_come_from_the_bottom_up(self):
        self.assertEqual(layers.folders(self.root), ["rtl/low", "rtl/high"])
        self.assertEqual(list(layers.packages(self.root)),
                         ["rtl/low/low_pkg.sv", "rtl/low/gen/made_pkg.sv", "rtl/high/high_pkg.sv"])


if __name__ == "__main__":
    unittest.main()
