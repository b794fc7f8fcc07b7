#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the board program and looks at what it leaves: same bits, bad input, injection, waves.

board_test.py PROGRAM TABLES GROUP      TABLES: fabric_tables; GROUP: same_bits, links, tenants, bad_input, inject, waves, files
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM, TABLES = sys.argv[1:3]
SITES = ["weight", "partial_sum", "psum", "tensor_count", "tensor_stuck", "tensor_busy", "sbuf_write_lost",
         "dma_address", "dma_stuck", "host_beat", "flit_payload", "credit_lost", "semaphore_lost", "semaphore_value",
         "instruction", "sequencer_stuck"]


def run(*args, program=PROGRAM, env=None):
    return subprocess.run([program, *map(str, args)], capture_output=True, text=True, timeout=900,
                          env=env)


# A request comes after 20,000 cycles; who answers then waits for a semaphore that nobody updates.
ECHO = """config mini
chips 1
segment chip 0 at 0x1000
 stream core 0 Act
  NOP update 0.0 += 1
  NOP wait 0.1 take 1
  END
segment chip 0 at 0x2000
 stream core 0 Sync
  DMA_TRIGGER dma 0 x 1 wait 0.0 take 1
  END wait 0.2 >= {}
 ring core 0 Dma0
  DMA 1 rows x 64 B 0x3000 (+0) -> chip 0 0x4000 (+0) update 0.1 += 1
request chip 0 core 0 Act at 0x3000 after 20000
  hex 01020304
"""


class BoardTest(unittest.TestCase):
    def setUp(self):
        self.out = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.out, True)

    def result(self, *args, status=0):
        done = run(*args, "--json", "--out", self.out)
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout)

    def epochs(self, *args):
        """The result with epochs.json."""
        result = self.result(*args)
        with open(os.path.join(self.out, "latest", "epochs.json"), encoding="ascii") as file:
            return result | {"epochs": json.load(file)}


class SameBits(BoardTest):
    def test_hashes_do_not_depend_on_windows_threads_or_length_of_names(self):
        for scenario in ("digits", "ring"):
            runs = [self.epochs(scenario, "--chips", 4, "--seed", 3, "--window", w, "--threads", t)
                    for w, t in ((32, 1), (1, 1), (7, 2), (32, 2), (1, 2))]
            for other in runs[1:]:
                for key in ("commit_hash", "link_hash", "cycles", "commits_checked", "status", "epochs"):
                    self.assertEqual(runs[0][key], other[key], f"{scenario}: {key}")

    def test_requests_change_time_and_not_commits_whenever_they_come(self):
        slow, *others = [self.result("recommender", "--chips", 2, "--requests", 6, *more) for more in (
            ("--rate", 200000), ("--rate", 200000, "--window", 7, "--threads", 1), ("--rate", 50000000),
            ("--rate", 200000, "--load", "backdoor"), ("--rate", 200000, "--rtl", 0))]
        for other in others:
            self.assertEqual(other["commit_hash"], slow["commit_hash"])
            self.assertEqual(other["metrics"]["answered"], 6)
        for key in ("cycles", "link_hash"):
            self.assertEqual(others[0][key], slow[key])
        self.assertEqual(others[0]["metrics"]["latency_us"], slow["metrics"]["latency_us"])
        self.assertEqual(slow["metrics"]["queue_us"]["p50"], 0)
        self.assertGreater(others[1]["metrics"]["queue_us"]["p50"], others[1]["metrics"]["service_us"]["p50"])
        self.assertLess(others[1]["cycles"], slow["cycles"])

    def test_a_request_to_come_is_no_hang_and_one_without_answer_is(self):
        program = os.path.join(self.out, "echo.dasm")
        for least, status in ((0, 0), (1, 1)):
            with open(program, "w", encoding="ascii") as file:
                file.write(ECHO.format(least))
            echo = self.result("--program", program, "--no-debug", status=status)
            self.assertEqual(echo["status"], "hang" if status else "passed")
            self.assertGreater(echo["cycles"], 20000)
            self.assertLess(echo["cycles"], 30000)

    def test_commit_hash_does_not_depend_on_link_latency(self):
        short = self.result("digits", "--chips", 3, "--link-latency", 4)
        long = self.result("digits", "--chips", 3, "--link-latency", 100)
        self.assertEqual(short["commit_hash"], long["commit_hash"])
        self.assertNotEqual(short["link_hash"], long["link_hash"])

    def test_commit_hash_does_not_depend_on_topology_or_tables(self):
        ring = self.result("ring", "--seed", 4)
        c12 = self.result("ring", "--seed", 4, "--topology", "c12")
        self.assertEqual(ring["commit_hash"], c12["commit_hash"])
        self.assertLess(c12["metrics"]["flits"], 0.7 * ring["metrics"]["flits"])
        for name in ("ring-a", "ring-b", "c12"):
            tables = os.path.join(self.out, name)
            with open(tables, "w", encoding="ascii") as file:
                subprocess.run([TABLES, "--board", name], stdout=file, check=True)
            loaded = self.result("ring", "--seed", 4, "--topology", "c12", "--tables", tables)
            self.assertEqual(loaded["commit_hash"], ring["commit_hash"], name)
            by_name = self.result("ring", "--seed", 4, "--topology", "c12", "--tables", name)
            self.assertEqual(by_name["link_hash"], loaded["link_hash"], name)
            same = self.assertEqual if name == "c12" else self.assertNotEqual
            same(loaded["link_hash"], c12["link_hash"])

    def test_tables_come_by_packets(self):
        hosts = self.result("ring", "--seed", 4, "--topology", "c12")
        for name in ("c12", "ring-b"):
            runs = [self.result("ring", "--seed", 4, "--topology", "c12", "--tables", name, "--tables-by", "packets",
                                "--window", w, "--threads", t) for w, t in ((32, 1), (5, 2))]
            for packets in runs:
                self.assertEqual(packets["commit_hash"], hosts["commit_hash"], name)
                self.assertNotEqual(packets["link_hash"], hosts["link_hash"])
            self.assertEqual(runs[0]["link_hash"], runs[1]["link_hash"])
            self.assertEqual(runs[0]["cycles"], runs[1]["cycles"])

    def test_a_cable_is_left_while_the_program_runs(self):
        for topology in ("ring", "c12"):
            calm = self.result("ring", "--seed", 6, "--topology", topology)
            middle = (calm["metrics"]["load_cycles"] + calm["metrics"]["run_cycles"] // 2)
            runs = [self.result("ring", "--seed", 6, "--topology", topology, "--leave-cable",
                                f"3-4@{middle}", "--window", w, "--threads", t) for w, t in ((32, 1), (5, 2))]
            for left in runs:
                self.assertEqual(left["status"], "passed")
                self.assertEqual(left["commit_hash"], calm["commit_hash"])
                self.assertEqual(left["metrics"]["table_switches"], 1)
                self.assertGreater(left["metrics"]["packets_rerouted"], 0)
            self.assertEqual(runs[0]["link_hash"], runs[1]["link_hash"])
            self.assertEqual(runs[0]["cycles"], runs[1]["cycles"])

    def test_both_doors_give_the_same_commits(self):
        for args in (("digits", "--chips", 1), ("gemm", "--chips", 3, "--rtl", "1", "--model", "rest"),
                     ("errors", "--chips", 3), ("registers", "--chips", 2)):
            front, back, other = (self.epochs(*args, *more) for more in (
                (), ("--load", "backdoor"), ("--load", "backdoor", "--window", 7, "--threads", 2)))
            self.assertEqual((front["metrics"]["load"], back["metrics"]["load"]), ("front", "backdoor"))
            for key in ("commit_hash", "commits_checked", "status", "program_hash"):
                self.assertEqual(front[key], back[key], (args, key))
            self.assertLess(back["metrics"]["load_cycles"], front["metrics"]["load_cycles"])
            for key in ("link_hash", "cycles", "epochs"):
                self.assertEqual(back[key], other[key], (args, key))

    def test_no_scenario_has_a_race(self):
        for scenario in ("digits", "gemm", "ring", "busy"):
            self.assertEqual(self.result(scenario, "--chips", 4, "--races")["metrics"]["races"], 0, scenario)

    def test_result_has_every_field(self):
        result = self.result("ring", "--chips", 2)
        self.assertEqual(list(result), [
            "schema", "kind", "scenario", "config", "seed", "status", "chips", "cores", "cycles",
            "commits_checked", "mismatches", "wall_s", "cycles_per_s", "threads", "program_hash",
            "commit_hash", "link_hash", "repro", "metrics"])
        self.assertEqual(result["status"], "passed")
        self.assertGreater(result["commits_checked"], 0)


class Links(BoardTest):
    def test_a_stuck_lane_changes_the_speed_and_nothing_else(self):
        plain = self.result("digits", "--chips", 2)
        stuck = self.result("digits", "--chips", 2, "--stuck-lane", "0-1:5@6000",
                            "--stuck-lane", "1-0:3@6000", "--stuck-lane", "1-0:12@6000")
        self.assertEqual(stuck["commit_hash"], plain["commit_hash"])
        self.assertEqual(plain["metrics"]["degraded_cycles"], 0)
        self.assertGreater(stuck["metrics"]["degraded_cycles"], 0)
        self.assertGreater(stuck["metrics"]["retrains"], 0)
        self.assertEqual(stuck["metrics"]["packets_dropped"], 0)

    def test_counters_name_a_stuck_lane(self):
        result = self.result("ring", "--chips", 3, "--stuck-lane", "0-1:5@1000", "--stuck-lane", "2-1:12@1000")
        lanes = {(link["chip"], link["port"]): link["Lanes"] for link in result["metrics"]["fabric"]["links"]}
        wrong = {end: [i for i, errors in enumerate(by_lane) if errors] for end, by_lane in lanes.items()}
        self.assertEqual(wrong, {end: {(1, 1): [5], (1, 0): [12]}.get(end, []) for end in lanes})

    def test_a_limit_slows_down_and_changes_nothing_else(self):
        plain = self.result("digits", "--chips", 2)
        for core in (0, 1):
            for limit, least, most in (("1/1", 1.5, 2), ("63/256", 0.99, 1.01)):  # flits in 64 fabric cycles / burst
                with self.subTest(core=core, limit=limit):
                    limited = self.result("digits", "--chips", 2, "--limit", f"{core}={limit}")
                    self.assertEqual(limited["commit_hash"], plain["commit_hash"])
                    slower = limited["metrics"]["run_cycles"] / plain["metrics"]["run_cycles"]
                    self.assertTrue(least < slower < most, slower)

    def test_a_limit_takes_the_time_that_its_bucket_says(self):
        # A core cycle is half a fabric cycle: at rate 1 a flit takes 128, at rate 2 half of that. Cores send equally much.
        for core in (0, 1):
            with self.subTest(core=core):
                runs = {limit: self.result("digits", "--chips", 2, "--limit", f"{core}={limit}")
                        for limit in ("1/1", "2/1", "1/17", "2/17")}
                cycles = {limit: run["metrics"]["run_cycles"] for limit, run in runs.items()}
                link = runs["1/1"]["metrics"]["fabric"]["links"][0]
                flits = sum(link[f"Sent{vn}"] for vn in (1, 2, 3)) // 2
                self.assertGreater(flits, 100)
                for burst in (1, 17):  # the burst and a packet of 17 are not waited for
                    slower = (cycles[f"1/{burst}"] - cycles[f"2/{burst}"]) / 64
                    self.assertTrue(flits - burst - 17 <= slower <= flits, slower)
                for rate in (1, 2):  # 16 flits more at once: that much earlier, to the flit
                    earlier = (cycles[f"{rate}/1"] - cycles[f"{rate}/17"]) * rate / 128
                    self.assertAlmostEqual(earlier, 16, delta=0.5)

    def test_bit_errors_train_links_again_and_change_nothing(self):
        plain = self.result("digits", "--chips", 2)
        noisy = self.result("digits", "--chips", 2, "--link-ber", "1e-4")
        self.assertEqual(noisy["commit_hash"], plain["commit_hash"])
        self.assertGreater(noisy["metrics"]["replays"], 0)

    def test_a_cable_dies_and_the_rest_is_found_another_way(self):
        plain = self.result("digits")
        self.assertEqual(plain["metrics"]["links_dead"], 0)
        middle = plain["metrics"]["load_cycles"] + plain["metrics"]["run_cycles"] // 3
        for cable, more in (("3-4@5000", ()), (f"3-8@{middle}", ("--topology", "c12")),
                            (f"3-4@{middle}", ("--link-ber", "1e-6"))):
            runs = [self.result("digits", "--fail-cable", cable, *more, "--window", w, "--threads", t)
                    for w, t in ((32, 2), (5, 1))]
            for cut in runs:
                self.assertEqual(cut["commit_hash"], plain["commit_hash"])
                self.assertEqual(cut["metrics"]["links_dead"], 2)
                self.assertEqual(cut["metrics"]["table_switches"], 1)
                self.assertGreater(cut["metrics"]["packets_rerouted"], 0)
                if cable != "3-4@5000":  # while the program is still being loaded
                    self.assertGreater(cut["metrics"]["packets_dropped"], 0)
            self.assertEqual(runs[0]["link_hash"], runs[1]["link_hash"])

    def test_packets_find_another_way_round_a_dead_cable(self):
        plain = self.result("digits")
        for cable, more in (("6-7@5000", ("--link-ber", "1e-6")), ("3-8@12000", ("--topology", "c12"))):
            cut = self.result("digits", "--fail-cable", cable, *more, "--tables-by", "packets")
            self.assertEqual(cut["commit_hash"], plain["commit_hash"])
            self.assertEqual(cut["metrics"]["links_dead"], 2)
            self.assertEqual(cut["metrics"]["table_switches"], 1)
            self.assertGreater(cut["metrics"]["packets_rerouted"], 0)

    def test_a_silent_cable_is_dead_at_both_ends(self):
        calm = self.result("ring", "--chips", 3)
        cut = self.result("ring", "--chips", 3, "--fail-cable", "0-1@0")
        self.assertEqual(cut["metrics"]["links_dead"], 2)
        self.assertEqual(cut["commit_hash"], calm["commit_hash"])

    def test_bit_errors_at_a_millionth_are_repaired(self):
        plain = self.result("digits")
        noisy = self.result("digits", "--link-ber", "1e-6")
        self.assertEqual(noisy["commit_hash"], plain["commit_hash"])
        self.assertGreater(noisy["metrics"]["replays"], 0)


class Tenants(BoardTest):
    def test_innocent_messages_arrive_and_the_others_are_told(self):
        for args in (("--chips", 2), ("--seed", 5, "--chips", 7), ("--topology", "c12", "--link-ber", "1e-5")):
            runs = [self.result("tenants", *args, "--window", w, "--threads", t) for w, t in ((32, 2), (5, 1))]
            for key in ("commit_hash", "link_hash", "cycles"):
                self.assertEqual(runs[0][key], runs[1][key], key)
            metrics = runs[0]["metrics"]
            self.assertGreater(metrics["tenant_messages"], 0)
            self.assertGreater(metrics["flows_forbidden"], 0)
            self.assertGreaterEqual(metrics["packets_forbidden"], metrics["flows_forbidden"])
            told = {text.split(" pc")[0] for text in metrics["errors"]}
            self.assertTrue(all(text.endswith("Forbidden") for text in metrics["errors"]))
            self.assertEqual(len(told), len(metrics["errors"]), "each told once")

    def test_registers(self):
        result = self.result("registers", "--chips", 2)
        self.assertGreater(result["metrics"]["port_accesses_checked"], 2000)


class BadInput(BoardTest):
    def refused(self, *args, status=2, about=""):
        done = run(*args, "--out", os.path.join(self.out, "x"))
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(about, done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.out, "x")), "left something behind")

    def test_every_option_says_what_is_allowed(self):
        for args in (("--seed", "-1"), ("--seed", "4294967296"), ("--seed", "x"), ("--seed", ""),
                     ("--chips", "0"), ("--chips", "13"), ("--load", "side"), ("--threads", "0"), ("--window", "0"),
                     ("--window", "33"), ("--link-latency", "3"), ("--link-latency", "241"),
                     ("--link-ber", "2"), ("--link-ber", "x"),
                     ("--fail-cable", "3-5@9"), ("--fail-cable", "3@9"), ("--fail-cable", "3-4"),
                     ("--fail-cable", "3-4@x"), ("--stuck-lane", "3-4@9"),
                     ("--limit", "0=0/1"), ("--limit", "0=64/1"), ("--limit", "2=1/1"), ("--limit", "0=1/257"),
                     ("--limit", "0=1"), ("--limit", "0/1=1"), ("--limit", "x"),
                     ("--stuck-lane", "3-4:16@9"), ("--chips", "3", "--fail-cable", "2-3@0"),
                     ("--link-latency", "8", "--window", "9"), ("--wave-chips", "12"),
                     ("--wave-chips", "0,x"), ("--config", "maxi"), ("--inject", "gamma_ray"),
                     ("--timeout-cycles", "0")):
            with self.subTest(args=args):
                self.refused("digits", *args, about="allowed")

    def test_wiring_and_tables(self):
        self.refused("ring", "--topology", "mesh", about="allowed ring, c12")
        self.refused("ring", "--topology", "c12", "--chips", "6", about="c12 has 12 chips, the program 6")
        for order, about in (("3", "allowed A-B@CYCLE"), ("3-4", "allowed A-B@CYCLE"), ("3-x@5", "allowed 0 .. 11"),
                             ("3-12@5", "allowed 0 .. 11"), ("3-4@", "allowed 0 .."),
                             ("3-8@5", "no cable between chips 3 and 8")):
            self.refused("ring", "--leave-cable", order, about=about)
        for own in (("--tables", "ring"), ("--tables-by", "packets")):
            self.refused("registers", *own, about="allowed without --topology, --tables and --tables-by")
        self.refused("ring", "--tables-by", "mail", about="allowed host, packets")
        self.refused("ring", "--tables", "c12", about="--topology ring has none there")
        self.refused("ring", "--tables", "/nonexistent/t", about="/nonexistent/t: cannot be read")
        good = subprocess.run([TABLES, "--board", "c12"], stdout=subprocess.PIPE, text=True, check=True).stdout
        for change, about in ((lambda t: t, "--topology ring has none there"),
                              (lambda t: t.replace("ports 4", "ports x"), "bad:2: ports: 'x' is not a number"),
                              (lambda t: re.sub(r"^(source 3 \d) \d", r"\1 -", t, flags=re.M),
                               "chip 3 cannot reach chip 1"),
                              (lambda t: re.sub(r"^(source 3 .*)\n", r"\1 0\n", t, flags=re.M), ": source: the form is")):
            bad = os.path.join(self.out, "bad")
            with open(bad, "w", encoding="ascii") as file:
                file.write(change(good))
            self.refused("ring", "--tables", bad, about=about)
        for members, about in (("0 0", "chip 0 is there twice"), ("0", "joins 1 chips"), ("1 2", "up to chip 2")):
            of = 3 if members == "1 2" else 2
            text = subprocess.run([TABLES, "--board", "ring", "--members", f"0-{of - 1}"], capture_output=True, text=True, check=True).stdout
            with open(bad, "w", encoding="ascii") as file:
                file.write(re.sub("^members.*", f"members {members}", text, flags=re.M))
            self.refused("ring", "--chips", 2, "--tables", bad, about=about)

    def test_what_to_run(self):
        self.refused("gemm", "--format", "bf17", about="allowed fp32, tf32, bf16")
        self.refused("digits", "--format", "bf16", about="gemm")
        self.refused("digitz", about="digits")
        self.refused("digits", "--program", "p.bin", about="allowed")
        self.refused("--program", "/nonexistent/p.bin", about="/nonexistent/p.bin")
        self.refused("digits", "--frobnicate", about="--frobnicate")
        broken = os.path.join(self.out, "broken.bin")
        with open(broken, "wb") as file:
            file.write(b"DODECA\0\1 and no more")
        self.refused("--program", broken, about="broken.bin")

    def test_a_site_that_the_program_does_not_use(self):
        self.refused("ring", "--chips", "2", "--inject", "weight", about="allowed")

    def test_output_that_cannot_be_written(self):
        blocked = os.path.join(self.out, "file")
        open(blocked, "w").close()
        done = run("ring", "--chips", 2, "--out", os.path.join(blocked, "below"))
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


class Inject(BoardTest):
    def test_every_site_is_detected_or_argued_away(self):
        counts = {}
        for site in SITES:
            for seed in range(1, 4):  # `bench inject` takes twenty of each
                if "detected" in counts.get(site, ()):
                    break
                with self.subTest(site=site, seed=seed):
                    done = run("digits", "--chips", 2, "--seed", seed, "--inject", site, "--no-debug",
                               "--json", "--hang-cycles", 8192, "--out", self.out)
                    self.assertIn(done.returncode, (0, 1), done.stderr)
                    result = json.loads(done.stdout)
                    verdict = result["metrics"]["inject"]["outcome"]
                    counts.setdefault(site, []).append(verdict)
                    self.assertIn(verdict, ("detected", "masked", "corrected"), result["metrics"]["inject"])
                    self.assertEqual(done.returncode, 1 if verdict == "detected" else 0)
                    self.assertEqual(result["status"] == "passed", verdict != "detected")
                    if verdict != "detected":
                        self.assertNotEqual(result["metrics"]["inject"]["why"], "")
        for site, verdicts in counts.items():
            self.assertIn("detected", verdicts, site)

    def test_what_happens_at_the_front_door_is_seen_there_and_only_there(self):
        for door, verdict in (("front", "detected"), ("backdoor", "none")):
            done = run("digits", "--chips", 2, "--inject", "host_beat", "--load", door, "--no-debug", "--json", "--out", self.out)
            self.assertEqual(done.returncode, 1, done.stderr)
            result = json.loads(done.stdout)
            self.assertEqual(result["metrics"]["inject"]["outcome"], verdict)
            self.assertEqual(result["mismatches"] > 0, door == "front")

    def test_a_sum_that_the_next_addition_hides(self):
        """Extreme numbers: a NaN or a far larger word on PSUM, or further down the array. One seed in five has that."""
        for site in ("partial_sum", "weight"):
            with self.subTest(site=site):
                why = []
                for seed in range(1, 41):
                    done = run("corners", "--chips", 1, "--seed", seed, "--inject", site, "--no-debug", "--json", "--out", self.out)
                    fault = json.loads(done.stdout)["metrics"]["inject"]
                    self.assertIn(fault["outcome"], ("detected", "masked"), fault)
                    why.append(fault["why"])
                    if re.search("is 0x[0-9a-f]{8} with or without it", fault["why"]):
                        break
                else:
                    self.fail(f"no sum was hidden: {why}")

    def test_the_fabric_makes_a_damaged_packet_good_if_the_host_waits(self):
        plain = json.loads(run("ring", "--chips", 3, "--seed", 3, "--json", "--out", self.out).stdout)
        for seed in (1, 3):  # data, and an acknowledgement behind the last completion
            disturbed = ("ring", "--chips", 3, "--seed", seed, "--inject", "flit_payload", "--json", "--out", self.out)
            done = run(*disturbed)
            self.assertEqual(done.returncode, 1)
            hung = json.loads(done.stdout)
            self.assertEqual(hung["status"], "hang")
            self.assertEqual(hung["divergence"]["cause"]["chip"], hung["metrics"]["inject"]["chip"])
            self.assertEqual(hung["divergence"]["cause"]["block"], "fabric")
            done = run(*disturbed, "--hang-cycles", 300000)
            self.assertEqual(done.returncode, 0, done.stderr)
            result = json.loads(done.stdout)
            self.assertEqual(result["metrics"]["inject"]["outcome"], "corrected")
            self.assertEqual(sum(chip["Damaged"] for chip in result["metrics"]["fabric"]["chips"]), 1)
            self.assertGreater(result["cycles"], 2 * 65536)
            if seed == 3:
                self.assertEqual(result["commit_hash"], plain["commit_hash"])

    def test_same_seed_same_fault(self):
        runs = [run("digits", "--chips", 2, "--seed", 5, "--inject", "psum", "--window", w,
                    "--threads", t, "--json", "--out", self.out) for w, t in ((32, 1), (5, 2))]
        faults = [json.loads(r.stdout)["metrics"]["inject"] for r in runs]
        self.assertEqual(faults[0], faults[1])

    def test_list(self):
        done = run("--inject", "list")
        self.assertEqual(done.returncode, 0)
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()], SITES)

    def test_a_divergence_names_everything(self):
        for seed in range(1, 20):
            done = run("digits", "--chips", 2, "--seed", seed, "--inject", "weight", "--out", self.out)
            if "differ" in done.stderr:
                break
        for part in (r"chip \d+ core \d Tensor", r"core cycle \d+", r"pc \d+: MULTIPLY_MOVING",
                     r"bank \d+ column \d+", r"partition \d+: expected 0x[0-9a-f]{8} = \S+, actual",
                     r"repro: scripts/dodeca run digits --config \w+ --seed \d+"):
            self.assertRegex(done.stderr, part)

    def test_a_lost_semaphore_is_reported_as_a_hang(self):
        for seed in range(1, 20):
            done = run("loops", "--chips", 2, "--seed", seed, "--inject", "semaphore_lost",
                       "--json", "--out", self.out)
            if json.loads(done.stdout)["status"] == "hang":
                self.assertRegex(done.stderr, r"chip \d+ core \d \w+ pc \d+: waits for semaphore "
                                              r"\d\.\d+ (>=|==|take) \d+, is \d+")
                return
        self.fail("no hang in 19 seeds")


class Files(BoardTest):
    def test_run_directories_and_latest(self):
        for _ in range(2):
            self.result("ring", "--chips", 2)
        latest = os.path.join(self.out, "latest")
        self.assertTrue(os.path.islink(latest))
        self.assertFalse(os.path.isabs(os.readlink(latest)))
        self.assertEqual(json.load(open(os.path.join(latest, "result.json")))["scenario"], "ring")
        self.assertEqual(len([d for d in os.listdir(self.out) if d.startswith("ring-")]), 2)
        self.assertEqual(sorted(os.listdir(latest)), ["epochs.json", "functional.json", "result.json"])

    def test_timeout_is_a_hang(self):
        result = self.result("digits", "--chips", 2, "--timeout-cycles", 500, status=1)
        self.assertEqual(result["status"], "hang")
        self.assertEqual(result["cycles"], 1000)


class Waves(BoardTest):
    def test_waves_change_nothing_and_have_names(self):
        plain = self.epochs("ring", "--chips", 2)
        waves = os.path.join(self.out, "w")
        traced = self.epochs("ring", "--chips", 2, f"--waves={waves}", "--wave-chips", "1")
        for key in ("commit_hash", "link_hash", "cycles", "epochs"):
            self.assertEqual(plain[key], traced[key])
        self.assertEqual(os.listdir(waves), ["chip01.fst"])
        vcd = subprocess.run(["fst2vcd", os.path.join(waves, "chip01.fst")], capture_output=True,
                             text=True, check=True).stdout
        names = set(re.findall(r"\$var \S+ \d+ \S+ (\S+)", vcd))
        scopes = set(re.findall(r"\$scope \S+ (\S+)", vcd))
        for name in ("clk_i", "state_q", "flit_type", "value_q", "pc_q"):
            self.assertTrue(any(n == name or n.startswith(name) for n in names), name)
        for scope in ("link_tx_o", "gen_core[0]", "u_fabric", "u_tensor", "u_host"):
            self.assertIn(scope, scopes)
        self.assertNotIn("weight0_q[0]", names)


GROUPS = {"same_bits": SameBits, "links": Links, "tenants": Tenants, "bad_input": BadInput, "inject": Inject, "files": Files,
          "waves": Waves}
if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(GROUPS[sys.argv[3]])
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
