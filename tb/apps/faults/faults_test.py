# SPDX-License-Identifier: Apache-2.0
"""The program of the fault campaign: same seed, same verdict; one event by itself; what it rejects."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop(1)


class Faults(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = pathlib.Path(folder.name) / "out"

    def run_program(self, *options):
        return subprocess.run([PROGRAM, "faults", "--out", self.out, *options], capture_output=True, text=True)

    def result(self, *options):
        done = self.run_program("--json", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_threads_and_time_change_nothing(self):
        some = ("--events", "6", "--class", "flit-lost", "--class", "ack", "--class", "key", "--seed", "9")
        one, two = self.result(*some, "--threads", "1"), self.result(*some, "--threads", "3")
        for name in ("commit_hash", "link_hash", "cycles", "commits_checked", "repro"):
            self.assertEqual(one[name], two[name], name)
        self.assertEqual(one["metrics"]["outcomes"], two["metrics"]["outcomes"])
        other = self.result(*some[:-1], "10")
        self.assertNotEqual(one["link_hash"], other["link_hash"])

    def test_result_file_says_what_was_printed(self):
        result = self.result("--events", "3", "--class", "slow-sink")
        self.assertEqual(json.loads((self.out / "latest" / "result.json").read_text()), result)
        self.assertEqual((result["kind"], result["scenario"], result["config"]), ("run", "faults", "mini"))
        self.assertGreater(result["commits_checked"], 0)
        row, = result["metrics"]["outcomes"]
        self.assertGreaterEqual(row["effective"], 3)
        self.assertEqual(row["effective"], sum(row[o] for o in ("corrected", "contained", "reported", "hang", "silent")))

    def test_one_event_comes_out_as_in_the_campaign(self):
        whole = self.result("--class", "bit", "--events", "10")
        part = self.result("--class", "bit", "--event", "5")
        self.assertEqual(part["metrics"]["events"], 6)
        self.assertLess(part["cycles"], whole["cycles"])
        self.assertIn("--class bit --event 5", part["repro"])

    def test_bad_input_is_named(self):
        for options, word in ((("--class", "gremlins"), "gremlins"), (("--seed", "-1"), "--seed"),
                              (("--config", "huge"), "--config"), (("--event", "3"), "--event"),
                              (("--events", "0"), "--events"), (("--waves",), "--waves")):
            done = self.run_program(*options)
            self.assertEqual(done.returncode, 2, options)
            self.assertIn(word, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertFalse(self.out.exists())
        (self.out.parent / "file").write_text("")
        done = subprocess.run([PROGRAM, "--out", self.out.parent / "file"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 3)
        self.assertIn("--out", done.stderr)


if __name__ == "__main__":
    unittest.main()
