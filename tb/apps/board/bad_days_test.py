#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Disks that are full, readers that leave, signals, wishes that cannot come true, words that make no sense: every
program says so in one line, with the right status, and leaves nothing half-written.

bad_days_test.py BOARD_MINI BOARD_MODEL GROUP PROGRAM...      GROUP: files, signals, wishes, options; PROGRAM: whose options
"""
import gzip
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BOARD, MODEL, GROUP = sys.argv[1:4]
PROGRAMS = sys.argv[4:]
SMALL = ("ring", "--chips", 2, "--config", "mini")


class BadDay(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir, True)

    def start(self, program, *args, **how):
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": self.dir} | how
        return subprocess.Popen([program, *map(str, args)], **how)

    def call(self, program, *args, **how):
        """Status, stdout, stderr."""
        with self.start(program, *args, **how) as process:
            out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    def refused(self, status, program, *args, about="", left=(), **how):
        got, out, err = self.call(program, *args, **how)
        self.assertEqual((got, out or ""), (status, ""), err)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertIn(about, err)
        self.assertLessEqual(set(os.listdir(self.dir)), set(left), "something is left")


class Files(BadDay):
    def test_a_disk_that_is_full_at_any_time(self):
        for program, options in ((BOARD, ("--waves",)), (BOARD, ("--timeline", "--no-debug")), (BOARD, ("--commit-log", "log")),
                                 (MODEL, ("--commit-log", "log")), (MODEL, ("--npy",))):
            for size in (0, 200) + (5000,) * (program == BOARD) + (70000, 300000) * ("--waves" in options):
                with self.subTest(options=options, size=size):
                    self.refused(3, program, *SMALL, *options, "--json", about="cannot be written: File too large", left=("log",),
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
                    if (self.dir / "log").exists():  # whole: it was the result that did not fit
                        gzip.decompress((self.dir / "log").read_bytes())

    def test_waves_elsewhere_go_as_well(self):
        self.refused(3, BOARD, *SMALL, "--waves=w", "--json", about="w: waves cannot be written: File too large",
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000)))

    def test_a_failed_run_stays_one_whose_waves_do_not_fit(self):
        # Half of them, or all but the end: nobody asked for them, what failed is said, and no piece of them is left.
        run = ("digits", "--chips", 2, "--inject", "weight", "--seed", 3, "--threads", 1, "--out", self.dir)
        self.assertEqual(self.call(BOARD, *run)[0], 1)
        whole = max(file.stat().st_size for file in (self.dir / "latest/waves").glob("*.fst"))
        for size in (whole // 2, whole - 1000):
            with self.subTest(size=size):
                status, _, err = self.call(BOARD, *run, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
                self.assertEqual(status, 1, err)
                self.assertIn("waves: cannot be written: File too large\n", err)
                self.assertIn("earliest cause: ", err)
                self.assertFalse((self.dir / "latest/waves").exists())
                self.assertEqual(json.loads((self.dir / "latest/result.json").read_text())["divergence"]["waves"]["files"], [])

    def test_a_reader_that_has_left(self):
        for program in (BOARD, MODEL):
            for options in ((), ("--json",)):
                with self.subTest(program=program, options=options):
                    read, write = os.pipe()
                    os.close(read)
                    with open("/dev/full", "wb") as full:
                        for out in (write, full):
                            status, _, err = self.call(program, *SMALL, *options, stdout=out)
                            self.assertEqual((status, err.count("\n")), (3, 1), err)
                            self.assertIn("stdout: cannot be written", err)
                    os.close(write)
            self.assertEqual(self.call(program, "--help", stdout=subprocess.DEVNULL, preexec_fn=lambda: os.close(1))[::2],
                             (3, "stdout: is closed\n"))

    def test_an_output_file_that_is_none(self):
        fifo = self.dir / "fifo"
        os.mkfifo(fifo)
        read = []
        reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
        reader.start()
        self.assertEqual(self.call(MODEL, *SMALL, "--commit-log", fifo)[0], 0)
        reader.join()
        self.assertTrue(fifo.is_fifo())
        self.assertTrue(gzip.decompress(read[0]).startswith(b"DODECLOG"))

    def test_programs_that_are_none_or_too_much(self):
        self.refused(2, MODEL, "--program", "/dev/zero", about="/dev/zero: magic is not")
        header = b"DODECA\0\1" + (1).to_bytes(4, "little") + b"mini".ljust(16, b"\0") + bytes(16)
        with tempfile.NamedTemporaryFile() as file:
            file.write(header + (1 << 40).to_bytes(8, "little"))
            file.flush()
            self.refused(2, MODEL, "--config", "mini", "--program", file.name, about="total file size is 1099511627776 bytes; allowed")


class Signals(BadDay):
    def test_a_run_that_is_interrupted_ends_its_files(self):
        for which in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(which=which):
                out = self.dir / which.name
                process = self.start(BOARD, "busy", "--length", 1 << 15, "--chips", 2, "--waves", "--json", "--out", out)
                fst = out / "busy-mini-s1" / "chip00.fst"
                until = time.monotonic() + 100
                while time.monotonic() < until and not fst.exists():
                    time.sleep(0.1)
                time.sleep(1)
                process.send_signal(which)
                text, err = process.communicate(timeout=100)
                self.assertEqual(process.returncode, 128 + which, err)
                self.assertEqual(json.loads(text)["status"], "interrupted")
                self.assertEqual(json.loads((out / "latest/result.json").read_text())["status"], "interrupted")
                self.assertIn("interrupted: ", err)
                vcd = subprocess.run(["fst2vcd", fst], capture_output=True, text=True, check=True).stdout
                self.assertGreater(vcd.count("\n#"), 100)

    def test_an_interrupted_run_is_interrupted_whatever_was_wrong_before(self):
        # The model is ahead, while updates pull it: it has read bytes of SBUF that nobody wrote, the RTL still copies.
        program = self.dir / "reads.dasm"
        program.write_text("""config mini
chips 2
segment chip 0 at 0x1000
 ring core 0 Dma0
  DMA 64 rows x 65536 B 0x100000 (+65536) -> chip 0 0x4000000 (+65536)
  DMA 1 rows x 64 B 0xfffc4000000 (+0) -> chip 0 0x4000 (+0) update 0.1 += 1
 stream core 0 Sync
  DMA_TRIGGER dma 0 x 2
  END wait 0.1 >= 1
 stream core 0 Act
""" + 30 * "  NOP update 0.2 += 1\n" + "  END\n")
        process = self.start(BOARD, program, "--json")
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        text, err = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 128 + signal.SIGINT, err)
        self.assertEqual(json.loads(text)["status"], "interrupted")
        self.assertGreater(json.loads(text)["commits_checked"], 0)

    def test_the_model_as_well(self):
        process = self.start(MODEL, "busy", "--length", 1 << 16, "--config", "mini", "--json")
        until = time.monotonic() + 100
        while time.monotonic() < until and not (self.dir / "out").exists():
            time.sleep(0.05)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        text, err = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 128 + signal.SIGTERM, err)
        self.assertEqual(json.loads(text)["status"], "interrupted")


class Wishes(BadDay):
    def test_what_did_not_happen_is_said_and_does_not_pass(self):
        wishes = [("--fail-cable", "0-1@99999999"), ("--stuck-lane", "1-2:3@99999999"), ("--leave-cable", "2-0@99999999"),
                  ("--wave-window", "99999990:99999999")]
        status, out, err = self.call(BOARD, "ring", "--chips", 3, "--no-debug", "--json", *(word for wish in wishes for word in wish))
        self.assertEqual((status, json.loads(out)["status"]), (1, "failed"))
        cycles = json.loads(out)["cycles"]
        for option, value in wishes:
            self.assertIn(f"{option} {value} did not happen: the run ended in core cycle {cycles}\n", err)
            self.assertIn(f" {option} {value}", json.loads(out)["repro"])

    def test_what_cannot_happen_is_refused(self):
        for args in (("--coverage", "--waves"), ("--snapshots", 5000, "--no-debug"), ("--length", 5), ("--wave-window", "5")):
            with self.subTest(args=args):
                self.refused(2, BOARD, "ring", *args, about=args[0])


class Options(BadDay):
    """The table of options of each program is its --help."""
    PATHS = {"--out", "--commit-log", "--all", "--waves"}  # any word is one
    FILES = {"--program", "--tables", "--board", "--check"}  # named themselves
    BASE = {"shrink": ("nowhere",)}

    def test_every_option_of_every_program(self):
        for program in PROGRAMS:
            text = self.call(program, "--help")[1]
            base = self.BASE.get(os.path.basename(program), ())
            options = re.findall(r"^ +(?:-\w,)?(--[\w-]+)( [A-Z]\S*)?", text, re.M)
            self.assertGreater(len(options), 4, text)
            for name, value in options:
                if name in self.PATHS | {"--help"}:
                    continue
                words = ([name + "=x~y"], [name + "=1e99"]) if not value else (
                    [name], [name, ""], [name + "="], [name, "x~y"], [name, "-1"], [name, "9" * 40], [name, "1e400"])
                for words in words:
                    with self.subTest(program=os.path.basename(program), words=words):
                        self.refused(2, program, *base, *words,
                                     about=words[-1] if name in self.FILES and words[-1] not in (name, "", name + "=") else name.strip("-"))
            self.refused(2, program, *base, "--frobnicate", about="--frobnicate")
            for name in self.PATHS & {name for name, _ in options}:
                self.refused(2, program, *base, *([name, ""] if name != "--waves" else ["--seed", ""]), about="is \"\"")


GROUPS = {"files": Files, "signals": Signals, "wishes": Wishes, "options": Options}
if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(GROUPS[GROUP])
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
