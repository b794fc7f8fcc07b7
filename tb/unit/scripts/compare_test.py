#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/dodeca compare: what it calls equal, where it sees the first difference, what it rejects.

compare_test.py BOARD_MODEL BOARD_MINI
"""
import gzip
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

MODEL, BOARD = sys.argv[1:3]
ROOT = pathlib.Path(__file__).resolve().parents[3]


def npy(path, descr, shape, data):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)
    return path


class CompareTest(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir, True)

    def compare(self, *args, status):
        done = subprocess.run([sys.executable, "-I", ROOT / "scripts/start.py", "compare", *map(str, args)],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        if status == 2:
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stdout + done.stderr

    def run_board(self, name, program, *args, status=0):
        """The run's directory, with its log and its regions."""
        out = self.dir / name
        out.mkdir()
        done = subprocess.run([program, *map(str, args), "--config", "mini", "--out", out, "--npy", "--commit-log",
                               out / "log"], capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, status, done.stderr)
        run = (out / "latest").resolve()
        (out / "log").rename(run / "commits.log")
        return run, done.stderr

    def test_runs_and_logs(self):
        args = ("gemm", "--seed", 3, "--chips", 2)
        rtl, _ = self.run_board("rtl", BOARD, *args)
        again, _ = self.run_board("again", BOARD, *args, "--window", 5, "--threads", 1)
        model, _ = self.run_board("model", MODEL, *args)
        self.assertIn("runs are equal", self.compare(rtl, again, status=0))
        self.assertIn("runs are equal", self.compare(rtl, model, status=0))
        self.assertIn("logs are equal", self.compare(rtl / "commits.log", model / "commits.log", status=0))
        slow, _ = self.run_board("slow", BOARD, *args, "--link-latency", 100)
        text = self.compare(rtl, slow, status=1)
        self.assertRegex(text, r"cycles: \d+ and \d+ \(\+[\d.]+%\)")
        self.assertNotIn("commit_hash", text)
        self.assertNotIn("commits.log", text)  # other cycles, but the same commits
        self.assertNotIn("\ncycles", self.compare(rtl, slow, "--ignore", "cycles", status=1))
        # Without logs: epochs, the same whatever the windows and threads.
        self.assertEqual((rtl / "epochs.json").read_bytes(), (again / "epochs.json").read_bytes())
        for run in (rtl, slow, model):
            (run / "commits.log").unlink()
        self.assertIn("runs are equal", self.compare(rtl, model, status=0))
        self.assertRegex(self.compare(rtl, slow, status=1),
                         r"epochs.json: the same commits at other times, first in core cycles \d+ .. \d+: chip")
        self.assertNotIn("epochs.json", self.compare(rtl, slow, "--ignore", "epochs.json", status=1))

    def test_the_first_difference_of_logs_is_that_of_the_divergence_report(self):
        args = ("gemm", "--chips", 2)
        for seed in range(1, 9):
            bad, report = self.run_board(f"bad{seed}", BOARD, *args, "--seed", seed, "--inject", "partial_sum",
                                         status=1)
            if "RTL and golden model differ" in report and "elements differ" in report:
                break
        model, _ = self.run_board("model", MODEL, *args, "--seed", seed)
        self.assertIn("commit_hash", self.compare(bad / "result.json", model / "result.json", status=1))
        text = self.compare(bad / "commits.log", model / "commits.log", status=1)
        first = next(line for line in report.splitlines() if "RTL and golden model differ" in line)
        who, cycle = first.split(":")[0].rsplit(", ", 1)
        self.assertIn(who, text)
        self.assertIn(cycle, text)
        place = next(line for line in report.splitlines() if ": expected" in line).split(":")[0].strip()
        self.assertIn(place, text)
        entry = json.loads(self.compare(bad / "commits.log", model / "commits.log", "--json", status=1))
        self.assertFalse(entry["equal"])
        first = entry["differences"][0]
        self.assertEqual(f"core cycle {first['cycle_a']}", cycle)
        for run in (bad, model):
            (run / "commits.log").unlink()
        found = json.loads(self.compare(bad, model, "--json", status=1))["differences"]
        found = next(entry for entry in found if entry.get("file") == "epochs.json")
        parts = next(entry for entry in found["streams"] if entry["stream"] == first["stream"] and entry["list"] == "writes")
        self.assertTrue(parts["from"] <= first["index"] <= parts["to"], (parts, first))
        self.assertTrue(parts["cycles_a"][0] <= first["cycle_a"] <= parts["cycles_a"][1], (parts, first))
        self.assertIsNone(parts["cycles_b"])

    def epochs(self, name, table):
        run = self.dir / name
        run.mkdir(exist_ok=True)
        (run / "result.json").write_text('{"kind": "run"}')
        (run / "epochs.json").write_text(json.dumps(table))
        return run

    def test_epochs_bound_where_contents_part(self):
        def lists(tensor, vector=((9, 5, 1),), cycles=1024):
            return {"epoch_cycles": cycles, "lists": [
                {"stream": stream, "list": "writes", "points": points}
                for stream, points in (((3, 1, 0, 0, 0), tensor), ((4, 0, 1, 0, 0), vector)) if points]}
        one = self.epochs("one", lists([[2, 100, 7], [3, 256, 8], [3, 300, 9], [5, 512, 10]]))
        for points, low, high, begin, end, b, counts in (
                ([[2, 100, 7], [3, 256, 8], [3, 300, 1], [5, 512, 2]], 256, 299, 3072, 4095, [3072, 4095], (1, 0)),  # same times
                ([[8, 200, 6], [9, 256, 8], [9, 310, 1], [10, 512, 2]], 256, 511, 3072, 6143, [9216, 11263], (1, 0)),  # later
                ([[2, 100, 7], [2, 200, 8]], 100, 200, 2048, 3071, [2048, 3071], (0, 1)),  # ends where A goes on
                ([[2, 100, 7], [2, 256, 8]], 256, 256, 3072, 4095, None, (0, 1))):
            entry, = json.loads(self.compare(one, self.epochs("other", lists(points)), "--json", status=1))["differences"]
            part, = entry["streams"]
            self.assertEqual((part["stream"], part["from"], part["to"], part["cycles_b"], (entry["part"], entry["end_early"])),
                             ("chip 3 core 1 Tensor", low, high, b, counts))
            self.assertEqual((entry["begin"], entry["end"]), (begin, end))
        # A list that differs counts before one that ends, even if that was earlier.
        entry, = json.loads(self.compare(one, self.epochs("other", lists([[2, 99, 7]], [[9, 5, 2]])), "--json", status=1))["differences"]
        self.assertEqual((entry["streams"][0]["stream"], entry["begin"]), ("chip 4 core 0 Vector", 9216))
        self.assertIn("B has none of them", self.compare(one, self.epochs("other", lists([])), status=1))
        later = self.epochs("later", lists([[2, 100, 7], [4, 256, 8], [5, 512, 10]]))
        self.assertIn("first in core cycles 3072 .. 4095: chip 3 core 1 Tensor has made 300 and 100 writes\n  1 of 2",
                      self.compare(one, later, status=1))
        for wrong in ([], {"lists": 7}, {"epoch_cycles": 1e999, "lists": []}, lists([[1, 2]]), lists([[1, 2, 3]], cycles=512),
                      {"epoch_cycles": 1024, "lists": [{"stream": [1], "list": "writes", "points": [[1, 2, 3]]}]}):
            self.assertIn("epochs.json", self.compare(one, self.epochs("wrong", wrong), status=2))

    def test_timelines(self):
        args = ("ring", "--seed", 3, "--chips", 3, "--timeline")
        one, _ = self.run_board("one", BOARD, *args)
        again, _ = self.run_board("again", BOARD, *args, "--threads", 1)
        self.assertIn("timelines are equal", self.compare(one / "timeline.json", again / "timeline.json", status=0))
        slow, _ = self.run_board("slow", BOARD, *args, "--link-latency", 100)
        found = json.loads(self.compare(one / "timeline.json", slow / "timeline.json", "--json", status=1))
        self.assertEqual((found["of"], found["equal"]), ("timeline", False))
        by = {entry["of"]: entry for entry in found["differences"]}
        results = [json.loads((run / "result.json").read_text())["metrics"]["run_cycles"] for run in (one, slow)]
        self.assertEqual([by["cycles"]["a"], by["cycles"]["b"]], results)
        # Slower links change no work, and no packet is another: only when.
        self.assertEqual(by["packets"]["a"]["detail"], by["packets"]["b"]["detail"])
        self.assertNotIn("chips", by)
        self.assertIn("timeline.json: packets: first", self.compare(one, slow, status=1))
        # What is told is what was changed: one instruction later, one longer, one engine's share.
        trace = json.loads((one / "timeline.json").read_text())
        names = {(e["pid"], e["tid"]): e["args"]["name"] for e in trace["traceEvents"]
                 if e["ph"] == "M" and e["name"] == "thread_name"}
        moves = [e for e in trace["traceEvents"] if e.get("cat") == "dma"]
        packets = [e for e in trace["traceEvents"] if e.get("cat") == "link" and " to " in e["name"]]
        for event in (moves[0], packets[-1]):
            event["dur"] = round(event["dur"] + 0.008, 3)
        engine = next(e for e in trace["dodeca"]["engines"] if e["busy"])
        engine["busy"] += 100
        (self.dir / "changed.json").write_text(json.dumps(trace))
        found = json.loads(self.compare(one / "timeline.json", self.dir / "changed.json", "--json", status=1))
        by = {entry["of"]: entry for entry in found["differences"]}
        self.assertEqual(sorted(by), ["engines", "instructions", "link load", "packets"])
        self.assertEqual(by["engines"]["most"], "chip {chip} core {core} {engine}".format(**engine))
        self.assertEqual((by["engines"]["reason"], by["engines"]["engines"]), ("busy", 1))
        for entry, event in ((by["instructions"], moves[0]), (by["packets"], packets[-1])):
            self.assertEqual(entry["different"], 1)
            self.assertEqual(entry["first"], f"chip {event['pid']} {names[event['pid'], event['tid']]}")
            self.assertEqual(entry["b"]["duration"] - entry["a"]["duration"], 8)
            self.assertEqual(entry["most"]["track"], entry["first"])
        self.assertEqual(by["link load"]["most"], by["packets"]["first"])

    def test_tensors(self):
        one = npy(self.dir / "one.npy", "<f4", (2, 2), struct.pack("<4f", 1, 2, 3, -4))
        near = npy(self.dir / "near.npy", "<f4", (2, 2), struct.pack("<2fI1f", 1, 2, 0x40400002, -4))
        self.compare(one, one, status=0)
        text = self.compare(one, near, status=1)
        self.assertIn("1 of 4 elements (fp32) differ", text)
        self.assertIn("first at [1, 0]: 0x40400000 = 3 and 0x40400002 = 3.00000048, 2 ulp", text)
        self.compare(one, near, "--ulp", 1, status=1)
        self.compare(one, near, "--ulp", 2, status=0)
        self.compare(one, near, "--rel", "2e-7", status=0)
        # Zeros of either sign are 0 ulp apart but other bits; so are NaNs; the smallest numbers of
        # either sign are 2 apart.
        for form, a, b, ulp in (("bf16", 0x0000, 0x8000, 0), ("bf16", 0x7fc0, 0x7fc1, 0), ("fp16", 0x0001, 0x8001, 2),
                                ("bf16", 0x7f80, 0x7f7f, 1), ("bf16", 0x7fc0, 0x3f80, "inf")):
            x = npy(self.dir / "x.npy", "<u2", (1,), struct.pack("<H", a))
            y = npy(self.dir / "y.npy", "<u2", (1,), struct.pack("<H", b))
            self.assertIn(f", {ulp} ulp", self.compare(x, y, "--as", form, status=1))
        x = npy(self.dir / "x.npy", "|u1", (3,), bytes([0, 0x77, 0]))
        y = npy(self.dir / "y.npy", "|u1", (3,), bytes([0, 0x78, 0]))
        self.assertIn("0x77 = 240 and 0x78 = inf", self.compare(x, y, "--as", "fp8e4m3", status=1))
        wide = npy(self.dir / "wide.npy", "<f4", (4,), bytes(16))
        self.assertIn("shape: (2, 2) and (4,)", self.compare(one, wide, status=1))

    def test_as_decides_what_bytes_are(self):
        data = struct.pack("<4H", 0x3f80, 0x4000, 0xc040, 0x7fc0)
        files = [npy(self.dir / f"{i}.npy", descr, shape, data) for i, (descr, shape) in enumerate(
            (("|u1", (8,)), ("<f4", (2,)), ("<V2", (2, 2)), ("|V2", (4,)), ("bfloat16", (4,))))]
        for other in files[1:]:
            self.compare(files[0], other, status=0)
            self.compare(files[0], other, "--as", "bf16", status=0)
        changed = npy(self.dir / "changed.npy", "<V2", (4,), data[:6] + b"\x80\x7f")
        for file in files[:3]:
            self.assertIn("1 of 4 elements (bf16) differ", self.compare(file, changed, "--as", "bf16", status=1))
        self.assertIn("1 of 4 elements (bf16) differ", self.compare(files[3], changed, status=1))
        self.assertIn("descr: fp32 and bf16", self.compare(files[1], changed, status=1))
        short = npy(self.dir / "short.npy", "<V2", (3,), data[:6])
        self.assertIn("bytes: 8 and 6", self.compare(files[1], short, "--as", "bf16", status=1))

    def test_wrong_input_is_refused_in_one_line(self):
        good = npy(self.dir / "good.npy", "<f4", (2,), bytes(8))
        run = self.dir / "result.json"
        run.write_text('{"kind": "run"}')
        (self.dir / "other.json").write_text('{"kind": "regression"}')
        (self.dir / "cut.json").write_text('{"kind": ')
        short = npy(self.dir / "short.npy", "<f4", (3,), bytes(8))
        odd = npy(self.dir / "odd.npy", "<c8", (1,), bytes(8))
        head = b"DODECLOG" + struct.pack("<I8sI", 1, b"mini", 2)
        end = b"\xff" * 8
        for name, data in (("cut", head + b"\0" * 20), ("count", head + end + struct.pack("<Q", 7)),
                           ("kind", head + bytes(8) + b"\x09" + bytes(35) + end + bytes(8)),
                           ("version", b"DODECLOG" + struct.pack("<I8sI", 2, b"mini", 2))):
            (self.dir / f"{name}.log").write_bytes(gzip.compress(data))
            self.assertIn(f"{name}.log", self.compare(self.dir / f"{name}.log", self.dir / f"{name}.log", status=2))
        (self.dir / "timeline.json").write_text('{"displayTimeUnit": "ns", "traceEvents": []}')
        whole = gzip.compress(head + end + bytes(8))
        (self.dir / "torn.log").write_bytes(whole[:-9])
        for args in ((good, self.dir / "none"), (good, run), (good, short), (odd, odd), (good, good, "--ulp", "-1"),
                     (run, self.dir / "other.json"), (run, self.dir / "cut.json"), (run, self.dir / "nothing"),
                     (self.dir / "timeline.json", self.dir / "timeline.json"), (run, self.dir / "timeline.json"),
                     (self.dir / "torn.log", self.dir / "torn.log"), (self.dir, self.dir / "nowhere")):
            self.compare(*args, status=2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
