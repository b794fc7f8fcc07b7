#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every end that a run can have, its limits, and what the regression says about it."""
import datetime
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from bench import ROOT, Raw, WithFolder
from regress.build import build
from regress.execute import ctest_facts


class Ends(WithFolder):
    def test_each_end_has_its_state_and_its_words(self):
        names = ("good", "bad", "slow", "killed", "crash", "hungry", "unchecked", "silent", "contrary", "dishonest")
        tests = {name: {"scenario": name} for name in names}
        tests["slow"]["timeout_s"] = 1
        tests["hungry"]["memory_mib"] = 1024
        self.write_data(tests)
        done = self.regress("all", status=1)
        runs, evidence = self.runs(), self.evidence()
        for name, state, words in (
                ("good", "passed", ""),
                ("bad", "failed", "chip 3 core 1 tensor pc 17"),
                ("slow", "timeout", "not finished after 1 s"),
                ("killed", "killed", "ended by SIGKILL"),
                ("crash", "killed", "ended by SIGSEGV"),
                ("hungry", "killed", "needs more memory than its limit of 1024 MiB"),
                ("unchecked", "failed", "no checks were made"),
                ("silent", "failed", "nothing says that it passed"),
                ("contrary", "failed", "nothing says that it passed"),
                ("dishonest", "failed", "exit status 1")):
            self.assertEqual(runs[name]["state"], state, runs[name])
            self.assertIn(words, runs[name]["message"])
            if state != "passed":
                self.assertIn(f"repro: {runs[name]['repro']}", done.stdout)
        self.assertEqual(evidence["counts"] | {"passed": 1, "failed": 5, "timeout": 1, "killed": 3}, evidence["counts"])
        self.assertLess(runs["slow"]["times"]["wall_s"], 10)
        self.assertEqual(self.left_running(), "", "a run that is ended takes its children with it")
        suites = {s.get("name"): s for s in xml.etree.ElementTree.parse(self.last() / "junit.xml").getroot()}
        self.assertEqual([suites[n].get("failures") + suites[n].get("errors") for n in ("good", "bad", "slow", "killed")],
                         ["00", "10", "01", "01"])
        self.assertIn(runs["bad"]["repro"], suites["bad"].find("testcase/failure").text)

    def test_one_cause_with_many_faces_is_one_bucket_and_is_told_first(self):
        self.write_data({"caused": {"scenario": "caused"}, "bad": {"scenario": "bad"}}, seeds=3)
        done = self.regress("all", "--seed", 3, status=1)
        evidence = self.evidence()
        self.assertEqual([(b["signature"], b["count"]) for b in evidence["buckets"] if b["tests"] == ["caused"]],
                         [("earliest cause in psum", 3)])
        for run in evidence["runs"]:
            if run["test"] == "caused":
                self.assertRegex(run["message"], r"^earliest cause: chip \d+ core 0 psum ")
        bucket = next(b for b in evidence["buckets"] if b["tests"] == ["caused"])
        self.assertRegex(done.stdout, r"3 × failed: earliest cause in psum\n +earliest cause: chip \d+ core 0 psum .*, core cycle 16588 · "
                                      rf"changed: .*\nwaves: scripts/dodeca waves \S*/runs/{bucket['first']}\n")

    def test_known_issues_excuse_until_they_expire(self):
        today = datetime.date.today()
        issue = {"owner": "me", "expires": Raw(today), "signature": r"chip \d+ core"}
        self.write_data({name: {"scenario": "bad"} for name in ("excused", "expired", "other")} | {"gone": {"scenario": "good"}},
                        issues=[issue | {"id": "one", "tests": ["excused"]},
                                issue | {"id": "two", "tests": ["expired"], "expires": Raw(today - datetime.timedelta(1))},
                                issue | {"id": "three", "tests": ["other"], "signature": "hangs"},
                                issue | {"id": "four", "tests": ["gone"], "always": True}])
        self.regress("all", status=1)
        runs = self.runs()
        self.assertEqual({name: run["state"] for name, run in runs.items()}, {
            "excused": "expected failure", "expired": "failed", "other": "failed", "gone": "unexpected pass"})
        self.assertIn("known issue two expired on", runs["expired"]["message"])
        self.assertIn("remove it", runs["gone"]["message"])
        self.assertEqual([(i["id"], i["runs"], i["expired"]) for i in self.evidence()["known_issues"]],
                         [("one", 1, False), ("three", 0, False), ("four", 1, False), ("two", 1, True)])

    def test_only_expected_failures_are_no_failure(self):
        self.write_data({"excused": {"scenario": "bad"}}, issues=[
            {"id": "one", "owner": "me", "expires": Raw(datetime.date.today()), "signature": "chip"}])
        self.regress("all")

    def test_seeds_that_change_nothing_are_found(self):
        self.write_data({"same": {"scenario": "same"}}, seeds=3)
        self.assertIn("seed audit: same made 1 stimuli of 3 seeds", self.regress("all", status=1).stdout)


class BuildErrors(WithFolder):
    @unittest.skipUnless((ROOT / "build/build.ninja").exists(), "needs a configured tree")
    def test_what_cannot_be_built_is_a_build_error_and_the_rest_runs(self):
        self.write_data({"good": {"scenario": "good"}, "odd_one": {"scenario": "good", "program": "none"}})
        suites = self.data / "suites.toml"
        suites.write_text('[program.none]\npath = "none"\ntarget = "no_such_target"\n' + suites.read_text())
        self.regress("all", status=3)
        runs = self.runs()
        self.assertEqual((runs["good"]["state"], runs["odd_one"]["state"]), ("passed", "build error"))
        self.assertIn("no_such_target", runs["odd_one"]["message"])

    def test_the_error_is_the_compilers(self):
        root = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(subprocess.run, ["rm", "-r", root])
        shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
        (root / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(p NONE)\nadd_custom_target(fine)\n"
            "add_custom_target(broken COMMAND c++ -c ${CMAKE_SOURCE_DIR}/broken.cc)\n")
        (root / "broken.cc").write_text("int f() { return nothing; }\n")
        errors = build(root, {"fine", "broken", ""})
        self.assertEqual(list(errors), ["broken"])
        self.assertIn("broken.cc:1:18: error", errors["broken"])


class UnitTests(unittest.TestCase):
    """CTest hides how its test ended: exit status 8, and a word in its output."""

    def facts(self, script, *options):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "CTestTestfile.cmake").write_text(f'add_test(t sh -c "{script}")\n')
            done = subprocess.run(["ctest", "--test-dir", folder, "-V", *options], capture_output=True, text=True)
        return ctest_facts(done.stdout)

    def test_the_end_of_a_ctest_run_is_read_from_its_words(self):
        self.assertEqual(self.facts("kill -SEGV $$")["ended_by"], "SegFault")
        self.assertEqual(self.facts("kill -KILL $$")["ended_by"], "Subprocess killed")
        self.assertEqual(self.facts("sleep 9", "--timeout", "1")["ended_by"], "timeout")
        self.assertEqual(self.facts("exit 1"), {"passed": False, "checks": 0, "stimulus": None, "ended_by": None})
        self.assertEqual(self.facts("echo stimulus 1f; echo Ran 7 tests in 1 s"),
                         {"passed": True, "checks": 7, "stimulus": "1f", "ended_by": None})


if __name__ == "__main__":
    unittest.main()
