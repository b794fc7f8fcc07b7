#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/dodeca gives the same verdict from any folder, through any link, to any user; and never one about
another tree. On a tree of our own whose board is a shell script."""
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
START = ROOT / "scripts/start.py"
NOBODY = 65534
CMAKE = """cmake_minimum_required(VERSION 3.25)
include(scripts/cmake/place.cmake)
project(tiny NONE)
foreach(program board_mini board_model faults_mini)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/bin/${program} DEPENDS ${CMAKE_SOURCE_DIR}/board.sh
    COMMAND sh -n ${CMAKE_SOURCE_DIR}/board.sh
    COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/board.sh ${CMAKE_BINARY_DIR}/bin/${program})
  add_custom_target(${program} ALL DEPENDS ${CMAKE_BINARY_DIR}/bin/${program})
endforeach()
enable_testing()
add_test(NAME good_errors COMMAND true)
add_test(NAME bad COMMAND false)
set_tests_properties(bad PROPERTIES LABELS nightly)
"""


def call(*command, **more):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)


class WithTree(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.folder.chmod(0o755)
        self.tree = self.make_tree("tree")

    def make_tree(self, name):
        tree = self.folder / name
        shutil.copytree(ROOT / "scripts", tree / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        (tree / "CMakeLists.txt").write_text(CMAKE)
        self.board(tree, '[ "$1" != bins ] || exit 1; echo "$PWD $*"')
        return tree

    def board(self, tree, text):
        (tree / "board.sh").write_text(f"#!/bin/sh\n{text}\n")
        (tree / "board.sh").chmod(0o755)

    def run_board(self, tree, status=0, **more):
        done = call(tree / "scripts/dodeca", "run", "--config", "mini", **more)
        self.assertEqual(done.returncode, status, done.stderr)
        return done


class Build(WithTree):
    def test_a_copy_runs_what_its_own_sources_say(self):
        self.run_board(self.tree)
        copy = self.folder / "copy"
        subprocess.run(["cp", "-a", self.tree, copy], check=True)
        self.board(copy, "echo changed")
        done = self.run_board(copy)
        self.assertEqual(done.stdout, "changed\n")
        self.assertIn(f"was configured for {self.tree}", done.stderr)
        self.assertNotIn("was configured for", self.run_board(copy).stderr)
        moved = self.folder / "moved"
        copy.rename(moved)
        self.board(moved, "if")  # does not compile
        self.assertIn("build failed", self.run_board(moved, status=3).stderr)
        self.assertEqual(self.run_board(self.tree).stdout, f"{os.getcwd()} --config mini\n")

    def test_a_program_file_says_its_configuration(self):
        text, binary = self.folder / "a b.dasm", self.folder / "a.prog"
        text.write_text("# config inf2 is larger\n  config  mini # small\nchips 2\n")
        binary.write_bytes(b"DODECA\0\1" + b"\2\0\0\0" + b"mini".ljust(16, b"\0"))
        for words in ((text,), ("--program", binary), (f"--program={text}",), ("--seed", "3", binary)):
            done = call(self.tree / "scripts/dodeca", "run", *words)
            self.assertEqual(done.stdout, f"{os.getcwd()} {' '.join(map(str, words))}\n", done.stderr)
        for words in ((text, "--config", "inf2"), ("--program", "/dev/zero"), (self.folder / "none.dasm",)):
            done = call(self.tree / "scripts/dodeca", "run", *words)
            self.assertIn("board_inf2", done.stdout + done.stderr)  # which this tree has not

    def test_a_regression_of_a_copy_builds_it_too(self):
        (self.tree / "CMakeLists.txt").write_text(CMAKE.partition("enable_testing")[0])  # no CTest to ask
        self.run_board(self.tree)
        copy = self.folder / "copy"
        subprocess.run(["cp", "-a", self.tree, copy], check=True)
        self.board(copy, "if")
        shutil.copytree(ROOT / "regress", copy / "regress")
        done = call(copy / "scripts/dodeca", "regress", "smoke", "--test", "gemm_short", "--seeds", 1, "--out", self.folder / "out")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("2 build error", done.stdout)

    def test_a_path_that_the_build_cannot_take_is_one_line(self):
        for name in ("with space", "a#b", "a$b"):
            done = self.run_board(self.make_tree(name), status=3)
            said = [line for line in done.stderr.splitlines() if not line.startswith("+ ")]
            self.assertEqual(len(said), 1, done.stderr)
            self.assertIn(f"{name}: its path has", said[0])
            self.assertIn("allowed", said[0])

    def test_the_second_build_waits_for_the_first(self):
        self.run_board(self.tree)
        with open(self.tree / "build/.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            second = subprocess.Popen([self.tree / "scripts/dodeca", "build", "board_mini"], stderr=subprocess.PIPE, text=True)
            self.assertIn("waiting for another build in", second.stderr.readline())
            self.assertIsNone(second.poll())
        _, rest = second.communicate(timeout=60)
        self.assertEqual(second.returncode, 0, rest)


class Run(WithTree):
    def test_the_status_of_test_is_what_came_of_it(self):
        for words, status in (((), 0), (("good",), 0), (("-L", "nightly"), 1), (("-L", "none"), 2), (("-Lnone",), 2), (("none",), 2), (("(",), 2)):
            done = call(self.tree / "scripts/dodeca", "test", *words)
            self.assertEqual(done.returncode, status, done.stderr)
            if status == 2:
                self.assertIn("no test has", done.stderr.splitlines()[-1])
        self.board(self.tree, "if")
        self.assertEqual(call(self.tree / "scripts/dodeca", "test").returncode, 3)

    def test_a_config_that_is_no_value_is_none(self):
        for words in (["--config"], ["--config", ""], ["--config="], ["--config", "--seed"]):
            done = call(self.tree / "scripts/dodeca", "run", *words)
            self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (2, "", 1), done.stderr)
            self.assertIn("allowed inf2, mini", done.stderr)

    def test_a_flag_takes_no_word_of_the_line(self):
        self.board(self.tree, 'echo "${0##*/}"')
        flags = [flag for file in ("tb/apps/board/options.cc", "tb/scenarios/knob_options.cc")
                 for flag in re.findall(r'add_flag\("(--[\w-]+)', (ROOT / file).read_text())]
        self.assertIn("--no-debug", flags)
        self.assertIn("--once", flags)
        for flag in flags:
            done = call(self.tree / "scripts/dodeca", "run", "--config", "mini", flag, "faults")
            self.assertEqual(done.stdout, "faults_mini\n", flag)


class Places(WithTree):
    def test_relative_paths_mean_the_callers_folder(self):
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        self.assertEqual(self.run_board(self.tree, cwd=elsewhere).stdout, f"{elsewhere} --config mini\n")
        done = call(self.tree / "scripts/dodeca", "run", "--model-only", cwd=elsewhere)
        self.assertEqual(done.stdout, f"{elsewhere} --model-only\n", done.stderr)
        (elsewhere / "data").mkdir()
        done = call(self.tree / "scripts/dodeca", "regress", "list", "--data", "data", cwd=elsewhere)
        self.assertIn(f"{elsewhere}/data/suites.toml", done.stderr)

    def test_through_a_link(self):
        link = self.folder / "dodeca"
        link.symlink_to(self.tree / "scripts/dodeca")
        again = self.folder / "again"
        again.symlink_to("dodeca")
        for door in (link, again):
            self.assertIn("verilator", call(door, "doctor").stdout)
            done = call(door, "run", "--config", "mini", cwd=self.folder)
            self.assertEqual(done.stdout, f"{self.folder} --config mini\n", done.stderr)

    def test_who_may_not_write_runs_what_is_built(self):
        other = ["setpriv", f"--reuid={NOBODY}", "--clear-groups"] if os.getuid() == 0 else []
        subprocess.run(["chmod", "-R", "a-w", self.tree], check=True)
        self.addCleanup(subprocess.run, ["chmod", "-R", "u+w", self.tree])
        words = [*other, self.tree / "scripts/dodeca", "run", "--config", "mini"]
        done = call(*words)
        self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (3, "", 1), done.stderr)
        subprocess.run(["chmod", "-R", "u+w", self.tree], check=True)
        self.run_board(self.tree)
        subprocess.run(["chmod", "-R", "a-w", self.tree], check=True)
        done = call(*words, cwd=self.folder)
        self.assertEqual((done.returncode, done.stdout), (0, f"{self.folder} --config mini\n"), done.stderr)
        self.assertIn("cannot be written", done.stderr)
        (self.tree / "board.sh").touch()
        done = call(*words)
        self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (3, "", 1), done.stderr)
        self.assertIn("would have to be built", done.stderr)


class Python(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, True)

    def test_no_module_of_the_callers_folder_replaces_ours(self):
        names = [p.stem for p in (ROOT / "scripts").iterdir()] + ["json", "argparse", "pathlib", "sitecustomize", "usercustomize"]
        for name in names:
            (self.folder / f"{name}.py").write_text("import os\nos._exit(0)\n")
        for name, cycles in (("a", 1), ("b", 2)):
            (self.folder / name).mkdir()
            (self.folder / name / "result.json").write_text(f'{{"kind": "run", "status": "passed", "cycles": {cycles}}}')
        for path in ({}, {"PYTHONPATH": str(self.folder), "PYTHONSTARTUP": "json.py"}):
            done = call(ROOT / "scripts/dodeca", "compare", "a", "b", cwd=self.folder, env=os.environ | path)
            self.assertEqual((done.returncode, done.stdout), (1, "cycles: 1 and 2 (+100.00%)\nruns are different\n"), done.stderr)
            for verb in ("report", "timeline", "waves", "lint", "vendor", "gen", "bench", "coverage", "regress"):
                done = call(ROOT / "scripts/dodeca", verb, "--help", cwd=self.folder, env=os.environ | path)
                self.assertIn("usage", done.stdout, verb)

    def test_a_crash_is_one_line_and_no_verdict(self):
        scripts = self.folder / "scripts"
        (scripts / "commands").mkdir(parents=True)
        shutil.copy(START, scripts)
        for text, words in (("{}['x']", "KeyError"), ("assert False, 'two\\nlines'", "two lines"), ("f = lambda: f()\nf()", "RecursionError"),
                            ("import nothing_of_this_name", "ModuleNotFoundError"), ("if", "SyntaxError"),
                            ("open('/no/such')", "/no/such: No such file"), ("raise SystemError", "SystemError")):
            (scripts / "commands/fault.py").write_text(text)
            done = call(sys.executable, "-I", scripts / "start.py", "fault")
            self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (3, "", 1), done.stderr)
            self.assertIn("dodeca fault: ", done.stderr)
            self.assertIn(words, done.stderr)
            if "Error" in words:
                self.assertIn("fault.py", done.stderr)

    def test_stdout_that_cannot_be_written_is_one_line(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([ROOT / "scripts/dodeca", "regress", "list"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual((done.returncode, done.stderr), (3, "dodeca regress: stdout: No space left on device\n"))
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([ROOT / "scripts/dodeca", "regress", "list"], stdout=write, stderr=subprocess.PIPE, text=True)
        os.close(write)
        self.assertEqual((done.returncode, done.stderr), (3, "dodeca regress: stdout: Broken pipe\n"))


if __name__ == "__main__":
    unittest.main()
