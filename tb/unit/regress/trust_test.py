#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No job, no damage on the disk and no second call takes a regression down or makes it say what is not so."""
import fcntl
import json
import os
import re
import sqlite3
import subprocess
import time
import unittest
import xml.etree.ElementTree

from bench import ENVIRONMENT, WithFolder, command


class Jobs(WithFolder):
    BAD = {"signalled": ("killed", "ended by signal 41"), "nested": ("failed", "nested too deep"),
           "odd_number": ("failed", "64 bits"), "odd_hash": ("failed", "program_hash is [1]"),
           "half_character": ("failed", "surrogates"), "not_a_number": ("failed", "NaN is no number"),
           "talks": ("failed", "characters more"), "floods": ("killed", "printed more than 16 MiB")}

    def test_a_bad_record_is_one_failed_run(self):
        self.write_data({name: {"scenario": name} for name in (*self.BAD, "good", "fifo")})
        self.regress("all", status=1)
        runs = self.runs()
        for name, (state, words) in self.BAD.items():
            self.assertEqual(runs[name]["state"], state, runs[name])
            self.assertIn(words, runs[name]["message"])
        self.assertEqual([runs[name]["state"] for name in ("good", "fifo")], ["passed"] * 2)
        log = (self.last() / "runs.jsonl").read_bytes()
        self.regress("all", "--resume", status=1)
        self.assertEqual((self.last() / "runs.jsonl").read_bytes(), log, "nothing runs again")
        for name in ("report.html", "evidence.json", "junit.xml", "runs.jsonl"):
            self.assertLess((self.last() / name).stat().st_size, 400_000, name)
        for path in (self.last() / "runs").rglob("*"):
            self.assertLessEqual(path.stat().st_size, 16 << 20, path)

    def test_children_in_sessions_of_their_own_end_with_their_run(self):
        self.write_data({"escapes": {"scenario": "escapes"}})
        self.regress("all")
        self.assertEqual(self.left_running(), "")


class Records(WithFolder):
    def setUp(self):
        super().setUp()
        self.write_data({"good": {"scenario": "good"}}, seeds=4)
        self.regress("all")
        self.log = self.last() / "runs.jsonl"

    def test_a_damaged_line_costs_its_own_run_only(self):
        lines = self.log.read_bytes().splitlines(keepends=True)
        at = next(i for i, line in enumerate(lines[:-1]) if b'"kind":"test"' in line)
        name = json.loads(lines[at])["id"]
        for damage in (lines[at].replace(b'"passed"', b'"pbssed"'), lines[at].replace(b":", b";", 1), b"\n", lines[at][:99] + b"\n" + lines[at][99:],
                       lines[at].replace(b'"cycles":1', b'"cycles":[1],"x":'), b'{"id":["a"]}\n'):
            text = b"".join([*lines[:at], damage, *lines[at + 1:]])
            self.log.write_bytes(text)
            done = self.regress("report", self.last(), status=1)
            self.assertIn(f"runs.jsonl:{at + 1}: ", done.stdout)
            self.assertEqual(self.log.read_bytes(), text, "nothing is cut")
            states = {r["id"]: r["state"] for r in self.evidence()["runs"]}
            self.assertEqual([id for id, state in states.items() if state == "not run"], [name])
        self.regress("all", "--resume", status=1)  # runs it again; the damage is still told
        self.assertEqual(self.evidence()["counts"]["passed"], 4)

    def test_one_at_a_time_in_a_folder(self):
        with open(self.log, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            for words in (("all", "--resume"), ("report", self.last())):
                self.refused(*words, status=3, says=("another regress is at work",))
        self.regress("all", "--resume")

    def test_history_that_cannot_be_read_stops_nothing(self):
        history = self.out / "history.sqlite"
        whole = history.read_bytes()
        for damage in (b"no database at all", whole[:3000], whole[:4096] + b"\xff" * (len(whole) - 4096)):
            history.write_bytes(damage)
            self.assertIn("history is not kept", self.regress("report", self.last()).stderr)
            self.assertEqual(history.read_bytes(), damage)
        history.unlink()
        db = sqlite3.connect(history)  # of an older version, and of a newer one
        db.execute("create table regression (id integer primary key, folder text, suite text, future text)")
        db.execute("create table run (regression integer, test text, state text)")
        db.execute("insert into regression values (1, 'regress-old', 'all', 'x')")
        db.commit()
        db.close()
        self.assertNotIn("history", self.regress("all").stderr)
        self.assertEqual(len(self.evidence()["history"]["trend"]), 1)


class Names(WithFolder):
    def test_a_folder_whose_name_is_not_utf8_in_any_locale(self):
        self.write_data({"good": {"scenario": "good"}, "bad": {"scenario": "bad"}})
        self.out = self.folder / os.fsdecode(b"caf\xe9")
        for locale in ("C", "POSIX", "C.UTF-8"):
            environment = ENVIRONMENT | {"LC_ALL": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
            done = subprocess.run(self.words("all"), env=environment, capture_output=True)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(b"caf\xe9", done.stdout)
            self.assertEqual(self.evidence()["counts"]["passed"], 1)
            other = self.last().with_name(os.fsdecode(b"\xfc"))
            os.rename(self.last(), other)
            subprocess.run(command("report", other, "--data", self.data), env=environment, capture_output=True)
            self.assertIn("udcfc", json.loads((other / "evidence.json").read_text())["folder"])
            self.assertIn("<testsuites", (other / "junit.xml").read_text())
            os.rename(other, self.out / f"done.{locale}")


class Past(WithFolder):
    def test_a_trend_has_equal_regressions_only(self):
        self.write_data({"good": {"scenario": "good"}, "short": {"scenario": "short"}})
        for words in ((), ("--test", "good"), ("--seeds", 2), (), ("--test", "good")):
            self.regress("all", *words)
        found = [row["runs"] for row in self.evidence()["history"]["trend"]]
        self.assertEqual((found, self.evidence()["selection"]), ([2, 2], "test=['good']"))

    def test_the_canary_says_what_came_of_it(self):
        for scenario, options, words in (("good", ("--inject-canary-off",), "its run, which must fail, passed"), ("crash", (), "killed (ended by SIGSEGV)"),
                                         ("silent", (), "not by the fault that was injected (exit status 0")):
            self.write_data({"good": {"scenario": "good"}})
            suites = self.data / "suites.toml"
            if scenario != "good":
                suites.write_text(suites.read_text().replace('scenario = "good"', f'scenario = "{scenario}"', 1).replace('["--inject", "x"]', "[]"))
            done = self.regress("all", *options, status=1)
            self.assertRegex(done.stdout, f"the canary was not caught: .*{re.escape(words)}")

    def test_failed_runs_again_with_waves_where_there_are_some(self):
        """Not with the options of waves on a program that has none: that would be another failure."""
        self.write_data({"bad": {"scenario": "bad"}})
        suites = self.data / "suites.toml"
        suites.write_text('[program.traced]\npath = "tb/unit/regress/../regress/pretend_board.sh"\n' + suites.read_text())
        for waves, path, repro in (("", "tb/unit/regress/pretend_board.sh", ""), ("traced", "tb/unit/regress/../regress/pretend_board.sh", " --waves")):
            text = suites.read_text()
            suites.write_text(text.replace("[program.board]", f'[program.board]\nwaves = "{waves}"') if waves else text)
            self.regress("all", status=1)
            self.regress("rerun", "--failed", "--waves", status=1)
            again = next(r for r in json.loads((self.last() / "plan.json").read_text())["runs"] if r["kind"] == "test")
            self.assertEqual(again["command"][0], path)
            self.assertEqual("--waves" in again["command"], bool(waves))
            self.assertTrue(again["repro"].endswith(repro))


class Junit(WithFolder):
    """Red exactly where the exit status is, whatever the reason."""

    def red(self):
        root = xml.etree.ElementTree.parse(self.last() / "junit.xml").getroot()
        cases = {case.get("name"): case for case in root.find("testsuite[@name='regression']")}
        found = [name for name, case in cases.items() if case.find("failure") is not None]
        count = sum(int(s.get("failures")) + int(s.get("errors")) for s in root)
        return found, count, set(cases)

    def test_each_verdict_is_a_case(self):
        good, same = {"good": {"scenario": "good"}}, {"same": {"scenario": "same"}}
        for tests, more, words, status, red in (
                (good, {}, (), 0, []),
                (same, {"seeds": 3}, (), 1, ["seed audit"]),
                (good, {}, ("--inject-canary-off",), 1, ["canary"]),
                (good, {"baselines": ["good"]}, (), 4, ["performance gate"]),
                (good, {"goals": True}, (), 4, ["coverage goals"])):
            self.write_data(tests, **more)
            self.regress("all", *words, status=status)
            found, count, cases = self.red()
            self.assertEqual(found, red)
            self.assertEqual(count > 0, status != 0)
            self.assertLessEqual({"finished", "canary", "seed audit"}, cases)

    def test_an_interrupted_one_is_red(self):
        self.write_data({"slow": {"scenario": "slow", "timeout_s": 60}})
        running = self.start("all")
        while self.left_running().count("sleep") < 2:
            time.sleep(0.05)
        running.terminate()
        running.communicate(timeout=60)
        self.assertIn("finished", self.red()[0])


if __name__ == "__main__":
    unittest.main()
