#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""timeline.json against result.json and against itself, and its page in headless Chromium.

timeline_test.py PROGRAM      PROGRAM: board_mini
"""
import collections
import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tb/unit/scripts")]
from browser import Browser  # noqa: E402

PROGRAM = sys.argv[1]
CHIPS = 5
SBUF = 0xf0000000000  # HBM lies below
# Two copies of one core, the second on DMA engine `second`; the vector engine waits for it.
QUEUE = """config mini
chips 2
segment chip 0 at 0x0
  zero 8256
segment chip 0 at 0x4000
 ring core 0 Dma0
  DMA 16 rows x 512 B 0x0 (+512) -> chip 0 0xfffc0000000 (+262144) update 0.0 += 1
{ring}  DMA 1 rows x 64 B 0x2000 (+64) -> chip 0 0xfffc0000200 (+262144) update 0.1 += 1
segment chip 0 at 0x6000
 stream core 0 Vector
  NOP wait 0.1 >= 1
  END
segment chip 0 at 0x7000
 stream core 0 Sync
  DMA_TRIGGER dma 0 x 1
  DMA_TRIGGER dma {second} x 1
  END wait 0.0 >= 1
"""
# Five descriptors of one engine that have nothing to do with each other; a sixth reads what the fifth writes.
OVERLAP = "".join(["config mini\nchips 2\nsegment chip 0 at 0x0\n  zero 8256\nsegment chip 0 at 0x4000\n ring core 0 Dma1\n"]
                  + [f"  DMA 1 rows x 64 B {a:#x} (+64) -> chip 0 {a + 64:#x} (+64) update 0.1 += 1\n" for a in (0, 0x400, 0x800, 0xc00, 0x1000, 0x1040)]
                  + ["segment chip 0 at 0x7000\n stream core 0 Sync\n  DMA_TRIGGER dma 1 x 6\n  END wait 0.1 >= 6\n"])


def cycles(microseconds):
    return round(microseconds * 1000)


def hops(a, b):
    return min((b - a) % CHIPS, (a - b) % CHIPS)


class Run:
    """A run with --timeline: its files, and spans by (chip, track)."""

    def __init__(self, out, *args, status=0, chips=CHIPS):
        done = subprocess.run([PROGRAM, *map(str, args), "--chips", str(chips), "--timeline", "--json", "--out", out],
                              capture_output=True, text=True, timeout=600)
        if done.returncode != status:
            raise AssertionError(done.stderr)
        self.directory = (pathlib.Path(out) / "latest").resolve()
        self.result = json.loads(done.stdout)
        self.text = (self.directory / "timeline.json").read_text()
        trace = json.loads(self.text)
        self.summary, self.events = trace["dodeca"], trace["traceEvents"]
        self.kinds, self.spans, names = {}, collections.defaultdict(list), {}
        for event in self.events:
            if event["ph"] == "M" and event["name"] == "thread_name":
                names[event["pid"], event["tid"]] = event["args"]["name"]
            elif event["ph"] == "X":
                place = event["pid"], names[event["pid"], event["tid"]]
                begin = cycles(event["ts"])
                self.kinds[place] = event["cat"]
                self.spans[place].append((begin, begin + cycles(event["dur"]), event["name"]))

    def page(self):
        return self.directory / "timeline.html"


def covered(spans, begin, end):
    """Cycles of begin .. end - 1 in at least one span."""
    marks = bytearray(end - begin)
    for first, last, _ in spans:
        first, last = max(first, begin), min(last, end)
        if first < last:
            marks[first - begin:last - begin] = b"\1" * (last - first)
    return sum(marks)


class Timeline(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.out, True)
        cls.run_ = Run(f"{cls.out}/a", "digits", "--seed", 3)

    def test_the_run_does_not_notice_and_the_file_does_not_depend_on_threads(self):
        done = subprocess.run([PROGRAM, "digits", "--seed", "3", "--chips", str(CHIPS), "--json", "--out", f"{self.out}/plain"],
                              capture_output=True, text=True, timeout=600)
        plain = json.loads(done.stdout)
        for key in ("commit_hash", "link_hash", "cycles"):
            self.assertEqual(plain[key], self.run_.result[key])
        other = Run(f"{self.out}/b", "digits", "--seed", 3, "--threads", 1, "--window", 7)
        spans = {key: value for key, value in other.spans.items() if other.kinds[key] != "link"}
        mine = {key: value for key, value in self.run_.spans.items() if self.run_.kinds[key] != "link"}
        self.assertEqual(spans, mine)
        self.assertEqual(other.summary, self.run_.summary)

    def test_sums_are_those_of_the_result(self):
        metrics, chips = self.run_.result["metrics"], self.run_.summary["chips"]
        for key, expected in (("instructions", metrics["instructions"]), ("messages", metrics["messages"]),
                              ("macs", metrics["tensor_counts"]["PeBusy"])):
            self.assertGreater(expected, 0)
            self.assertEqual(sum(chip[key] for chip in chips), expected, key)
        self.assertEqual(self.run_.summary["end"] - self.run_.summary["begin"], metrics["run_cycles"])

    def test_a_run_that_fails_has_sums_of_what_it_did(self):
        failed = Run(f"{self.out}/c", "digits", "--seed", 2, "--inject", "psum", status=1)
        whole = Run(f"{self.out}/d", "digits", "--seed", 2)
        for part, all_ in zip(failed.summary["chips"], whole.summary["chips"]):
            for key in ("instructions", "macs", "psum_written", "hbm_read", "ops_per_cycle"):
                self.assertGreater(part[key], 0, key)
            self.assertLessEqual(part["macs"], all_["macs"])
            self.assertLessEqual(part["messages"], all_["messages"])

    def test_tensor_spans_are_what_the_hardware_counted(self):
        counts = self.run_.result["metrics"]["tensor_counts"]
        for track, counter in (("load", "Load"), ("multiply", "Moving")):
            spans = [s for (_, name), list_ in self.run_.spans.items() if name.endswith(f"Tensor {track}") for s in list_]
            self.assertEqual(sum(end - begin for begin, end, _ in spans), counts[counter], counter)

    def test_spans_of_a_track_follow_each_other_inside_the_run(self):
        for place, spans in self.run_.spans.items():
            at = 0
            for begin, end, _ in spans:
                self.assertLessEqual(at, begin, place)
                self.assertLess(begin, end, place)
                at = end
            self.assertLessEqual(at, self.run_.result["cycles"], place)

    def test_busy_and_waits_fill_the_window(self):
        begin, end = self.run_.summary["begin"], self.run_.summary["end"]
        for row in self.run_.summary["engines"]:
            name = f"core {row['core']} {row['engine']}"
            tracks = [f"{name} multiply", f"{name} multiply lower"] if row["engine"] == "Tensor" else [name]
            spans = [s for track in tracks for s in self.run_.spans.get((row["chip"], track), [])]
            self.assertEqual(row["busy"], covered(spans, begin, end), row)
            self.assertEqual(row["busy"] + sum(row["waits"].values()), end - begin, row)

    def test_every_packet_is_on_every_link_of_its_way(self):
        arrived = collections.Counter()
        for (_, name), spans in self.run_.spans.items():
            if not name.startswith("link") or "VN" not in name:
                continue
            for _, _, packet in spans:
                operation, source, _, to = packet.split()
                if operation.startswith("Write"):
                    arrived[int(to)] += 1 / hops(int(source), int(to))
        self.assertEqual({chip["chip"]: chip["messages"] for chip in self.run_.summary["chips"]},
                         {chip: round(number, 6) for chip, number in sorted(arrived.items())})

    def test_semaphores_are_never_negative_and_each_update_has_an_author(self):
        values = [e for e in self.run_.events if e["ph"] == "X" and e["cat"] == "semaphore"]
        self.assertGreater(len(values), 100)
        for event in values:
            self.assertTrue(0 <= int(event["name"].split()[1]) < 65536, event)
            self.assertRegex(event["args"]["detail"], r"^[+-]\d+ by (chip \d+ )?core [01] \w+")
            if "pc" in event["args"]:
                self.assertRegex(event["args"]["source"], r"^[\w/]+\.\w+:\d+")

    def test_hbm_bytes_are_those_that_the_window_asked_for(self):
        read, written, descriptors = collections.Counter(), collections.Counter(), collections.Counter()
        for event in self.run_.events:
            if event["ph"] != "X" or event["cat"] != "dma":
                continue
            detail = event["args"]["detail"]
            rows, width, source, chip, target = re.match(
                r"DMA (\d+) rows x (\d+) B (0x\w+).*? -> chip (\d+) (0x\w+)", detail).groups()
            moved, at = int(rows) * int(width), event["pid"]
            memory = {address: "HBM" if int(address, 16) < SBUF else "SBUF" for address in (source, target)}
            self.assertEqual(event["name"], f"{memory[source]} to {memory[target] if int(chip) == at else f'chip {chip}'}", detail)
            descriptors[at] += 1
            read[at] += moved * (memory[source] == "HBM")
            written[int(chip)] += moved * (memory[target] == "HBM")
        for chip in self.run_.summary["chips"]:
            self.assertEqual(chip["hbm_written"], written[chip["chip"]], chip)
            # Instructions and descriptors are fetched from there as well, some in advance.
            code = 64 * (chip["instructions"] + descriptors[chip["chip"]])
            self.assertTrue(code <= chip["hbm_read"] - read[chip["chip"]] <= 2 * code, (chip, read, code))

    def test_engines_end_and_are_not_stopped(self):
        reasons = {name for (_, track), spans in self.run_.spans.items() if track.endswith("waits") for _, _, name in spans}
        self.assertIn("ended", reasons)
        self.assertNotIn("stopped", reasons)

    def test_arrows_lead_from_an_author_over_the_links_to_what_waited(self):
        flows, names = collections.defaultdict(list), {}
        for event in self.run_.events:
            if event["ph"] == "M" and event["name"] == "thread_name":
                names[event["pid"], event["tid"]] = event["args"]["name"]
            elif event["ph"] in "stf":
                flows[event["id"]].append((event["ph"], cycles(event["ts"]), event["pid"], names[event["pid"], event["tid"]]))
        waits = sum(name.startswith("semaphore") for (_, track), spans in self.run_.spans.items() if track.endswith("waits")
                    for _, _, name in spans)
        self.assertEqual(len(flows), waits, "an arrow to every wait for a semaphore")
        for flow in flows.values():
            self.assertEqual("".join(step[0] for step in flow), "s" + "t" * (len(flow) - 2) + "f")
            self.assertEqual(sorted(step[1] for step in flow), [step[1] for step in flow])
            for _, at, chip, track in flow:
                self.assertTrue(any(begin <= at < end for begin, end, _ in self.run_.spans[chip, track]), flow)
            links = [step for step in flow if step[3].startswith("link")]
            last = next(step for step in flow if step[3].endswith("waits"))
            self.assertEqual(len(links), hops(flow[0][2], last[2]), flow)

    def counter(self, chip, name):
        """{cycle: value from there on}"""
        return {cycles(e["ts"]): e["args"]["value"] for e in self.run_.events
                if e["ph"] == "C" and e["pid"] == chip and e["name"] == name}

    def test_semaphores_have_the_names_of_the_program(self):
        names = {name for _, name in self.run_.spans if name.startswith("semaphore")}
        self.assertLessEqual({"semaphore 0.0 loaded", "semaphore 1.7 arrived"}, names)

    def test_an_arrow_starts_at_the_author_of_the_update_in_the_last_cycle_of_the_wait(self):
        values = collections.defaultdict(dict)
        names = {(e["pid"], e["tid"]): e["args"]["name"] for e in self.run_.events if e["ph"] == "M" and e["name"] == "thread_name"}
        for e in self.run_.events:
            if e["ph"] == "X" and e["cat"] == "semaphore":
                values[e["pid"], names[e["pid"], e["tid"]]][cycles(e["ts"])] = e["args"]["detail"]
        flows = collections.defaultdict(list)
        for e in self.run_.events:
            if e["ph"] in "stf":
                flows[e["id"]].append((e["pid"], names[e["pid"], e["tid"]], cycles(e["ts"])))
        for flow in flows.values():
            chip, track, last = next(step for step in flow if step[1].endswith("waits"))
            waited = next(name for begin, end, name in self.run_.spans[chip, track] if begin <= last < end)
            maker, engine = flow[0][0], re.match(r"core \d \w+", flow[0][1])[0]
            author = engine if maker == chip else f"chip {maker} {engine}"
            self.assertRegex(values[chip, waited][last], rf"by {author}( |,|$)", flow)

    def test_pending_descriptors_come_back_to_none(self):
        queues = [(chip, name) for (chip, name), kind in self.run_.kinds.items() if kind == "dma" and "+" not in name]
        for chip, name in queues:
            values = list(self.counter(chip, f"{name} pending").values())
            self.assertGreater(max(values), 0)
            self.assertEqual((min(values), values[-1]), (0, 0), name)
        for chip in range(CHIPS):
            read = sorted(self.counter(chip, "HBM read, B/cycle").items())
            moved = sum(value * (next_ - at) for (at, value), (next_, _) in zip(read, read[1:]))
            self.assertGreaterEqual(moved, self.run_.summary["chips"][chip]["hbm_read"])

    def test_warnings_name_lines_the_worst_first_and_do_not_exceed_what_was_idle(self):
        warnings = self.run_.summary["warnings"]
        self.assertEqual(sorted((w["cycles"] for w in warnings), reverse=True), [w["cycles"] for w in warnings])
        idle = collections.Counter()
        for row in self.run_.summary["engines"]:
            if row["engine"] == "Tensor":
                idle.update(row["waits"])
        told = collections.Counter()
        for w in warnings:
            if w["kind"] == "idle":
                told["semaphore" if w["what"].startswith("waits for ") else "ended" if w["what"].endswith("ended") else w["what"]] += w["cycles"]
            self.assertTrue(any(begin == w["begin"] for begin, _, _ in self.run_.spans[w["chip"], w["track"]]), w)
        for reason in ("semaphore", "fetch", "ended", "ending"):
            self.assertEqual(told[reason], idle[reason], reason)
        first = next(w for w in warnings if w["what"] == "waits for loaded")
        self.assertRegex(first["source"], r"digits_core\.cc:\d+")
        self.assertEqual(first["late"], "HBM to SBUF")
        self.assertRegex(first["late_source"], r"digits_core\.cc:\d+")
        # Rows of 4 and 20 bytes: biases and second weights. No copy stands behind another for long.
        self.assertLessEqual({"HBM to SBUF by rows of 4 B", "HBM to SBUF by rows of 20 B"}, {w["what"] for w in warnings if w["kind"] == "small"})
        done = subprocess.run([sys.executable, "-I", ROOT / "scripts/start.py", "timeline", self.run_.directory], capture_output=True, text=True)
        lines = done.stdout.splitlines()[1:]
        self.assertIn(f"{warnings[0]['cycles']:,} cycles  array idle: waits for loaded at {warnings[0]['source']}", lines[0])

    def test_a_copy_behind_another_is_a_wait_that_could_end_earlier(self):
        found, waits = [], []
        for second, ring in enumerate(("", "segment chip 0 at 0x5000\n ring core 0 Dma1\n")):
            file = pathlib.Path(self.out) / f"queue{second}.dasm"
            file.write_text(QUEUE.format(second=second, ring=ring))
            run = Run(f"{self.out}/q{second}", file, chips=2)
            found.append([w for w in run.summary["warnings"] if w["kind"] == "early"])
            waits += [end - begin for begin, end, name in run.spans[0, "core 0 Vector waits"] if name == "semaphore 0.1"]
        (early,), none = found
        self.assertEqual(none, [])
        self.assertEqual((early["what"], early["late"]), ("waits for 0.1", "HBM to SBUF"))
        self.assertRegex(early["late_source"], r"queue0\.dasm:8")
        self.assertRegex(early["source"], r"queue0\.dasm:11")
        saved = waits[0] - waits[1]
        self.assertTrue(early["cycles"] / 2 < saved <= early["cycles"], (early, waits))

    def test_every_descriptor_has_its_own_begin_and_end(self):
        file = pathlib.Path(self.out) / "overlap.dasm"
        file.write_text(OVERLAP)
        run = Run(f"{self.out}/o", file, chips=2)
        spans = sorted(span for (_, track), spans in run.spans.items() if track.startswith("core 0 Dma1") for span in spans)
        ends = [begin for begin, _, _ in run.spans[0, "semaphore 0.1"]]
        self.assertEqual(len(spans), 6)
        self.assertEqual(len({track for _, track in run.spans if track.startswith("core 0 Dma1")}), len(spans) - 1, "the last one clashes")
        self.assertEqual(len({end - update for (_, end, _), update in zip(spans, ends)}), 1, (spans, ends))
        begins = [begin for begin, _, _ in spans]
        self.assertTrue(all(a < b for a, b in zip(begins, begins[1:])), begins)
        self.assertLess(begins[4], spans[0][1], "the fifth is read before the first has ended")
        self.assertGreaterEqual(begins[5], spans[4][1], "the sixth reads what the fifth writes")

    def test_a_dying_cable_is_seen(self):
        run = Run(f"{self.out}/c", "digits", "--seed", 3, "--fail-cable", "1-2@9000")
        states = {name for (_, track), spans in run.spans.items() if track in ("link 0", "link 1") for _, _, name in spans}
        self.assertIn("Dead", states)
        self.assertIn("Active", states)

    def test_page(self):
        file = self.run_.page()
        with Browser(width=1400, height=1200) as browser:
            browser.open(file.as_uri())
            browser.evaluate("new Promise((done) => { const wait = () => page.ready ? done(1) : setTimeout(wait, 20); wait(); })")
            self.assertEqual(browser.evaluate("page.data.tracks.filter((t) => t.label).length"), len(self.run_.spans))
            window = self.run_.summary["end"] - self.run_.summary["begin"]
            busy = browser.evaluate("[...document.querySelectorAll('#engines tbody tr')].map((r) => r.cells[3].textContent)")
            self.assertEqual(busy, [f"{100 * row['busy'] / window:.1f} %" for row in self.run_.summary["engines"]])
            wanted = sum("activate" in e["name"].lower() or "activate" in e["args"].get("detail", "").lower()
                         for e in self.run_.events if e["ph"] == "X")
            self.assertGreater(wanted, 0)
            self.assertEqual(browser.evaluate("look('Activate'), page.hits.length"), wanted)
            browser.evaluate("next(1)")
            self.assertIn("ACTIVATE", browser.evaluate("get('details').textContent"))
            place = (2, "core 0 Tensor multiply")
            first, last = self.run_.spans[place][0][0] + 5, self.run_.spans[place][-1][1] - 5
            self.arrows(browser)
            chosen = browser.evaluate(f"select({first}, {last}, page.data.tracks.filter((t) => t.chip === 2 && t.name === '{place[1]}')),"
                                      "page.selected.map((s) => s.busy)")
            self.assertEqual(chosen, [covered(self.run_.spans[place], first, last)])
            self.drag(browser)
            self.assertEqual(browser.complaints, [])
            self.assertEqual([url for url in browser.requests if not url.startswith(("file:", "data:"))], [])

    def arrows(self, browser):
        """Of a warning's span: drawn, walked, alone, and folded away."""
        flows = sum(e["ph"] == "s" for e in self.run_.events)
        self.assertEqual(browser.evaluate("page.data.arrows.length"), flows)
        self.assertEqual(browser.evaluate("document.querySelectorAll('#warnings tbody tr').length"), len(self.run_.summary["warnings"]))
        browser.evaluate("document.querySelector('#warnings tbody tr').click()")
        self.assertIn("core 0 Tensor waits", browser.evaluate("[...document.querySelectorAll('#details li')].map((l) => l.textContent)")[1]
                      .replace("core 1", "core 0"))
        inked = "[...get('view').getContext('2d').getImageData(0, 0, 2000, 900).data].filter((v, i, d) => i % 4 === 0 && v === 0xd6 && d[i + 1] === 0x24 && d[i + 2] === 0x6e).length"
        self.assertGreater(browser.evaluate(inked), 20)
        self.assertEqual(browser.evaluate("along(1), page.view.marked.track.name.endsWith('load')"), True)
        self.assertEqual(browser.evaluate("page.view.showOnly(), page.view.rows.filter((r) => !r.title).length"), 3)
        self.assertEqual(browser.evaluate("page.view.showOnly(), page.view.foldAll(true), page.view.rows.length"), CHIPS)
        browser.evaluate("page.view.marked = null, page.view.foldAll(false)")

    def drag(self, browser):
        """A real mouse: Shift+drag over two rows selects them; the wheel with Ctrl zooms."""
        x, y = browser.evaluate("(() => { view.fit; const r = get('view').getBoundingClientRect(); return [r.x, r.y]; })()".replace("view.fit; ", "page.view.fit(); page.view.top = 0; "))

        def mouse(kind, dx, dy, **more):
            browser.call("Input.dispatchMouseEvent", type=kind, x=x + dx, y=y + dy, modifiers=8, button="left", clickCount=1, **more)
        mouse("mousePressed", 300, 22 + 17 + 4, buttons=1)
        mouse("mouseMoved", 900, 22 + 2 * 17 + 6, buttons=1)
        mouse("mouseReleased", 900, 22 + 2 * 17 + 6, buttons=0)
        self.assertEqual(browser.evaluate("page.selected.length"), 2)
        before = browser.evaluate("page.view.to - page.view.from")
        browser.call("Input.dispatchMouseEvent", type="mouseWheel", x=x + 600, y=y + 60, modifiers=2, deltaX=0, deltaY=-200)
        for _ in range(50):
            after = browser.evaluate("page.view.to - page.view.from")
            if after < before:
                break
        self.assertLess(after, before)

    def test_bad_input_is_refused_by_name(self):
        script = [sys.executable, "-I", ROOT / "scripts/start.py", "timeline"]
        with tempfile.TemporaryDirectory() as place:
            for text in (None, "", "[]", "{}", '{"dodeca": 1, "traceEvents": 5}', '{"dodeca": {"end": 1}, "traceEvents": [{"ph": "X"}]}'):
                with contextlib.suppress(FileNotFoundError):
                    (pathlib.Path(place) / "timeline.json").unlink()
                if text is not None:
                    (pathlib.Path(place) / "timeline.json").write_text(text)
                done = subprocess.run([*script, place], capture_output=True, text=True)
                self.assertEqual(done.returncode, 2, text)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertIn("timeline.json", done.stderr)
                self.assertEqual([p.name for p in pathlib.Path(place).iterdir() if p.suffix != ".json"], [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
