#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The regression report, opened in headless Chromium: every figure on the page against evidence.json.

Three small regressions are made from records as the runner leaves them (no board runs), with everything that
can go wrong in one, and with texts that try to be HTML. `regress report` does the rest, as for a real one.
"""
import contextlib
import copy
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tb/unit/scripts")]
from browser import Browser, BrowserFailed  # noqa: E402
from regress.__main__ import main  # noqa: E402
from regress.buckets import divergence  # noqa: E402
from regress.results import BAD_STATES  # noqa: E402

EVIL = "</script><script>window.evil = 1</script><img src=x onerror='window.evil = 2'><!-- @script@ \u2028 '\"&amp;"
DIVERGED = ("chip {chip} core 1 Tensor, core cycle {cycle}: RTL and golden model differ\n"
            "  pc {pc}: MULTIPLY_MOVING partitions 16\n  partition 3: expected 0x1 = 1, actual 0x2 = 2\n")
DAY = 86400
BEGIN = 1790000000
ISSUES = """
[[issue]]
id = "lost-credit"
owner = "fabric"
expires = 2099-01-01
signature = "credit"
doc = "<b>known</b>"
[[issue]]
id = "overdue"
owner = "control"
expires = 2020-01-01
signature = "semaphore"
[[issue]]
id = "cured"
owner = "memory"
expires = 2099-01-01
signature = "HBM"
tests = ["ring_near"]
always = true
"""


def record(test, seed, state="passed", message="", kind="test", **more):
    name = f"{'' if kind == 'test' else kind + '.'}{test}.{seed}"
    return {"id": name, "kind": kind, "test": test, "seed": seed, "owner": "tensor", "state": state, "message": message,
            "repro": f"scripts/dodeca run {test} --config mini --seed {seed}", "checks": 0 if message else 100 + seed,
            "stimulus": f"{seed:016x}", "cycles": 2000 + seed, "config": "mini", "inject": None,
            "times": {"started": BEGIN, "wall_s": 0.5 + seed / 100, "rss_mib": 20.5, "cycles_per_s": 12345.6}, **more}


def canary():
    return record("digits_two", 3, "failed", DIVERGED.format(chip=0, cycle=5, pc=1), "canary", inject={"outcome": "detected"})


def good_runs():
    return [canary(), record("gemm", 1, kind="baseline"), *(record("gemm", s) for s in range(1, 6)),
            *(record("ring", s) for s in range(1, 4))]


def place(seed):
    return {"chip": seed, "core": 1, "engine": "Tensor", "cycle": 3000 - seed, "pc": seed, "instruction": "MULTIPLY_MOVING"}


def bad_runs():
    twin = record("gemm", 9) | {"seed": 10, "id": "gemm.10"}  # the stimulus of seed 9
    return [canary(), record("gemm", 1, kind="baseline", cycles=2400), record("ring", 1, kind="baseline"),
            *(record("gemm", s, "failed", DIVERGED.format(chip=s, cycle=3000 - s, pc=s), divergence=place(s)) for s in (1, 2, 5)),
            *(record("ring", s) for s in range(1, 4)), record("ring", 7, "failed", EVIL + "\n" + EVIL),
            record("ring", 8, "failed", "port waits for a credit"), record("ring", 9, "failed", "semaphore 3 stays 0"),
            record("ring_near", 4), record("busy_two", 2, "timeout", "not finished after 120 s"),
            record("digits", 1, "killed", "ended by SIGSEGV"), record("digits_odd", 1, "build error", "x.cc:1: error"),
            record("gemm", 9), twin, record("unit_prim", 1, stimulus=None, cycles=None)]


def percentages(base, total=1000):
    return {"raw": base - 1.3, "net": base, "hit": int(total * base / 100), "total": total, "excluded": 12}


COVERAGE = {
    "schema": 1, "runs": 9, "runs_with_code": 4, "runs_not_passed": 5, 
    "goals": [{"name": "line", "target": 95.0, "measured": 96.5, "met": True}, {"name": "branch", "target": 90, "measured": 88.2, "met": False},
              {"name": "functional.router", "target": 95, "measured": 50.0, "met": False}],
    **{kind: percentages(base) for kind, base in (("line", 96.5), ("branch", 88.2), ("toggle", 71.0))},
    "functional": percentages(50.0, 4) | {"bins": {"shape.a": 1, "shape.b<i>": 0, "router.hops.1": 7, "router.hops.2": 0}},
    "net": {"line": 96.5, "branch": 88.2, "toggle": 71.0, "functional": 50.0},
    "by_block": {"router": {"functional": percentages(50.0, 4)}, "router<b>": {"line": percentages(99.0), "branch": percentages(80.0), "toggle": percentages(60.0)},
                 "empty": {"line": {"raw": None, "net": None, "hit": 0, "total": 0, "excluded": 0}}},
    "by_chip": {f"chip{n:02}": {"line": 5.5 if n == 7 else 90.0 + n / 10, "branch": None, "toggle": 70.0} for n in range(12)},
    "cmodel": {"line": 93.3, "by_file": {"chip.cc": 91.0}}, "exclusions_out_of_date": ["gone.sv: no such line"]}


CHANGED = {"since": "HEAD~1", "runs": 12, "of": 94, "files": [{"file": "rtl/<b>dma.sv", "runs": 12}, {"file": "a.md", "runs": 0}]}


class Regressions:
    """Folders as the runner leaves them; the command itself writes evidence, history and report."""

    def __init__(self, out, coverage):
        self.out, self.coverage, self.data = out, coverage, out / "data"
        shutil.copytree(ROOT / "regress", self.data)
        (self.data / "known_issues.toml").write_text(ISSUES)
        (self.data / "perf_baseline.toml").write_text("".join(
            f'[[baseline]]\ntest = "{test}"\nconfig = "mini"\ncycles = 2001\nchecks = 100\n' for test in ("gemm", "ring")))

    def add(self, number, runs, revision, dirty="", goals=True, changed=None):
        """The last of the runs was planned and did not run."""
        folder, started = self.out / f"regress-smoke.{number}", BEGIN + number * DAY
        folder.mkdir(exist_ok=True)
        runs = [r | {"times": r["times"] | {"started": started + 1}} for r in runs]
        (folder / "plan.json").write_text(json.dumps({
            "schema": 1, "suite": "smoke", "goals": goals, "changed": changed, "seed": number, "started": started, "launcher": "local", "jobs": 2,
            "command": "scripts/dodeca regress smoke", "root": str(ROOT), "runs": runs, "programs": {"build/board": "1234"},
            "revision": {"commit": revision * 40, "subject": "A <b>subject</b>", "dirty": dirty}, "tools": {"python": "3.11"}}))
        (folder / "runs.jsonl").write_text("".join(json.dumps(r) + "\n" for r in runs[:-1]))
        # The converter of coverage has its own tests; here all shapes of its figures are shown.
        with unittest.mock.patch("regress.evidence.coverage", lambda *_: copy.deepcopy(self.coverage)), \
                contextlib.redirect_stdout(io.StringIO()):
            main(["report", str(folder), "--data", str(self.data)])
        return json.loads((folder / "evidence.json").read_text()), folder / "report.html"


def expected_figures(e):
    """{name: value} of every figure the page must show, from the evidence alone."""
    runs, want = e["runs"], {}
    want |= {"runs": len(runs), "checks": sum(r["checks"] for r in runs), "duration": e["times"]["wall_s"],
             "status": e["status"], "exit_status": e["exit_status"], "seed": e["seed"], "canary": e["canary"]["caught"],
             "audit.seeds": sum(r["seeds"] for r in e["seed_audit"]["rows"]),
             "audit.stimuli": sum(r["stimuli"] for r in e["seed_audit"]["rows"])}
    passed = [r["checks"] for r in runs if r["state"] == "passed"]
    want |= {"checks.least": min(passed)} if passed else {}
    want |= {f"counts.{s}": n for s, n in e["counts"].items() if n or s in ("passed", "failed")}
    want |= {f"changed.{name}": e["changed"][name] for name in ("runs", "of")} if e["changed"] else {}
    for bucket in e["buckets"]:
        past = e["history"]["failures"][bucket["id"]]
        want |= {f"bucket.{bucket['id']}": bucket["count"], f"since.{bucket['id']}": past["since"]["folder"],
                 f"last_good.{bucket['id']}": past["last_good"] and past["last_good"]["folder"]}
    want |= {f"issue.{i['id']}": i["runs"] for i in e["known_issues"]}
    if len(e["history"]["trend"]) > 1:
        want |= {f"trend.{t['id']}.{k}": t[k] for t in e["history"]["trend"] for k in ("runs", "passed", "failed")}
    for g in e["baselines"]:
        want |= {f"cycles.{g['test']}.{g['config']}": g["cycles"], f"recorded.{g['test']}.{g['config']}": g["recorded"]}
    for test in {r["test"] for r in runs if r["kind"] == "test"}:
        mine = [r for r in runs if r["test"] == test and r["kind"] == "test"]
        want |= {f"test.{test}.runs": len(mine), f"test.{test}.bad": sum(r["state"] in BAD_STATES for r in mine)}
    slow = sorted(runs, key=lambda r: (-r["times"]["wall_s"], r["id"]))[:15]
    want |= {f"slow.{r['id']}": r["times"]["wall_s"] for r in slow}
    for p in e["testplan"]:
        want |= {f"point.{p['block']}.{p['name']}": p["good"]} if p["runs"] else {}
    for block, stage in {(p["block"], p["stage"]) for p in e["testplan"]}:
        want[f"plan.{block}.{stage}"] = sum(p["status"] == "passed" for p in e["testplan"]
                                            if (p["block"], p["stage"]) == (block, stage))
    return want | expected_coverage(e["coverage"])


def expected_coverage(c):
    if not c:
        return {}
    kinds, want = ("line", "branch", "toggle", "functional"), {"coverage.runs": c["runs"]}
    rows = {"all.all chips": c, "cmodel.golden model": c["cmodel"],
            **{f"cmodel.{f}": {"line": v} for f, v in c["cmodel"]["by_file"].items()},
            **{f"{key}.{name}": row for key in ("by_block", "by_chip") for name, row in c[key].items()}}
    for name, row in rows.items():
        for kind in kinds:
            value = row.get(kind)
            net, raw = (value["net"], value["raw"]) if isinstance(value, dict) else (value, None)
            want |= {f"coverage.{name}.{kind}": net} if net is not None else {}
            want |= {f"raw.{name}.{kind}": raw} if raw not in (None, net) else {}
    bins = c["functional"]["bins"]
    return want | {f"group.{g}": sum(n > 0 for b, n in bins.items() if b.startswith(g + "."))
                   for g in {b.rpartition(".")[0] for b in bins}}


FIGURES = "[...document.querySelectorAll('[data-figure]')].map(e => [e.dataset.figure, JSON.parse(e.dataset.value), e.textContent])"
SHOWN_RUNS = "[...document.querySelectorAll('#all tbody tr[data-run]')].map(e => e.dataset.run)"


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.regressions = Regressions(pathlib.Path(cls.folder.name), COVERAGE)
        cls.good = cls.regressions.add(1, [*good_runs(), record("gemm", 0)], "a")
        cls.first_bad = cls.regressions.add(2, bad_runs(), "b", "d1e2")
        cls.bad = cls.regressions.add(3, bad_runs(), "c", changed=CHANGED)
        try:
            cls.browser = Browser()
        except BrowserFailed as failed:
            raise AssertionError(f"headless Chromium does not start: {failed}") from None
        cls.addClassCleanup(cls.browser.close)

    def open(self, page, anchor=""):
        self.browser.complaints.clear()
        self.browser.requests.clear()
        self.browser.open("about:blank")
        self.browser.open(f"file://{page}{anchor}")
        return self.browser.evaluate

    def tearDown(self):
        self.assertEqual(self.browser.complaints, [], "the page may not complain")
        asked = [u for u in self.browser.requests if not u.startswith(("file://", "data:", "about:"))]
        self.assertEqual(asked, [], "the page may not ask the network")

    def check_figures(self, evidence, page):
        evaluate, found = self.open(page), {}
        for name, value, shown in evaluate(FIGURES):
            self.assertEqual(found.setdefault(name, value), value, f"{name} is shown twice, differently")
            if name.startswith(("coverage.", "raw.")) and name != "coverage.runs":
                self.assertEqual(shown, f"{value:.1f} %", name)
            elif name.startswith("slow."):
                self.assertEqual(shown, f"{value:.1f}", name)
            elif isinstance(value, int) and not isinstance(value, bool) and name != "duration":
                self.assertEqual(shown.replace(",", ""), str(value), name)
        self.assertEqual(found, expected_figures(evidence))

    def test_every_figure_is_that_of_the_evidence(self):
        for evidence, page in (self.good, self.bad):
            self.check_figures(evidence, page)

    def test_a_part_of_a_suite_says_what_it_is(self):
        evaluate = self.open(self.bad[1])
        self.assertIn("Not the whole suite: 12 of 94 runs can be touched by rtl/<b>dma.sv (since HEAD~1).",
                      evaluate("document.querySelector('header').textContent"))
        self.assertNotIn("Not the whole", self.open(self.good[1])("document.querySelector('header').textContent"))
        self.assertIn("12 of 94 runs", (self.bad[1].parent / "junit.xml").read_text())

    def test_beside_every_failure_is_its_repro_line_with_a_button(self):
        evidence, page = self.bad
        evaluate = self.open(page)
        for bucket in evidence["buckets"]:
            lines = evaluate(f"[...document.querySelectorAll('#bucket-{bucket['id']} [data-copy]')].map(b => b.dataset.copy)")
            for run in (r for r in evidence["runs"] if r["kind"] == "test"):
                self.assertEqual(run["id"] in bucket["runs"], run["repro"] in lines, f"{run['id']} in {bucket['id']}")
        in_buckets = {run for b in evidence["buckets"] for run in b["runs"]}
        self.assertEqual({r["id"] for r in evidence["runs"] if r["state"] in BAD_STATES} - in_buckets, set())

    def test_a_run_links_to_its_timeline_and_its_divergence(self):
        left = self.regressions.out / "regress-smoke.6/runs/gemm.5"
        made = left / "gemm-mini-s5"
        (made / "waves").mkdir(parents=True)
        for name in ("result.json", "timeline.html", "divergence.json", "waves/chip05.fst", "waves/chip05.gtkw"):
            (made / name).write_text("{}")
        (left / "latest").symlink_to(made.name)
        evidence, page = self.regressions.add(6, bad_runs(), "f")
        has = {r["id"]: r["files"] for r in evidence["runs"] if "files" in r}
        self.assertEqual(has, {"gemm.5": [f"gemm-mini-s5/{n}" for n in ("timeline.html", "divergence.json",
                                                                       "waves/chip05.gtkw")]})
        evaluate = self.open(page, "#run-gemm.5")
        shown = "[...document.querySelectorAll('{} a[href^=\"runs/\"]')].map(a => a.href)"
        bucket = next(b["id"] for b in evidence["buckets"] if b["first"] == "gemm.5")
        for place, logs in (("#all .details", 2), (f"#bucket-{bucket}", 0)):
            links = evaluate(shown.format(place))
            self.assertEqual(len(links), logs + 3, links)
            for link in links[logs:]:
                self.assertTrue(pathlib.Path(link.removeprefix("file://")).is_file(), link)
        evaluate = self.open(page, "#run-gemm.1")
        self.assertEqual(len(evaluate(shown.format("#all .details"))), 2, "no link to what is not there")

    def test_text_that_tries_to_be_html_stays_text(self):
        evidence, page = self.bad
        evaluate = self.open(page)
        bucket = next(b for b in evidence["buckets"] if "evil" in b["signature"])
        self.assertEqual(evaluate(f"document.querySelector('#bucket-{bucket['id']} pre').textContent"), EVIL + "\n" + EVIL)
        self.assertEqual(evaluate("[typeof window.evil, document.images.length, document.querySelectorAll('b > i').length]"),
                         ["undefined", 0, 0])
        self.assertEqual(evaluate("document.querySelectorAll('script').length"), 3)

    def test_the_policy_of_the_page_refuses_scripts_that_are_not_its_own(self):
        evaluate = self.open(self.good[1])
        evaluate("(() => { const s = document.createElement('script'); s.textContent = 'window.foreign = 1';"
                 " document.body.append(s); })()")
        self.assertEqual(evaluate("typeof window.foreign"), "undefined")
        self.assertTrue(any("Content Security Policy" in c for c in self.browser.complaints), self.browser.complaints)
        self.browser.complaints.clear()

    def test_plots_have_ink(self):
        ink = ("[...document.querySelectorAll('.plot canvas')].map(c => { const d = c.getContext('2d')"
               ".getImageData(0, 0, c.width, c.height).data; let n = 0;"
               " for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; })")
        drawn = self.open(self.bad[1])(ink)
        self.assertEqual(len(drawn), 3)
        self.assertGreater(min(drawn), 500, drawn)
        self.assertEqual(self.open(self.good[1])(ink), [], "one regression is no trend")

    def test_where_a_run_diverged_is_read_from_its_divergence_json(self):
        made = self.regressions.out / "diverged/gemm-mini-s1"
        made.mkdir(parents=True)
        (made.parent / "latest").symlink_to(made.name)
        self.assertIsNone(divergence(made.parent))
        for first, place in (
                ({"chip": 4, "core": 1, "engine": "Dma1", "pc": 3, "instruction": "DMA 64 B", "stream": "core 1 Dma1", "cycle": 51},
                 (4, 1, "Dma1", 51, 3, "DMA")),
                ({"chip": 0, "from_chip": 1, "engine": "Rx", "pc": 0, "stream": "Rx from chip 1 (core 1 DMA 1, VN 3)", "cycle": 7},
                 (0, None, "Rx from chip 1 (core 1 DMA 1, VN 3)", 7, None, None))):
            (made / "divergence.json").write_text(json.dumps({"first": first}))
            self.assertEqual(tuple(divergence(made.parent).values()), place)
        (made / "divergence.json").write_text(json.dumps({"first": None}))
        self.assertIsNone(divergence(made.parent), "a hang")

    def test_since_when(self):
        """Good at a, bad at b and c; known to the reader of c, and still so when b is reported again later."""
        def of(evidence, words):
            bucket = next(b for b in evidence["buckets"] if words in b["signature"])
            return bucket, evidence["history"]["failures"][bucket["id"]]
        bucket, since = of(self.bad[0], "RTL and golden")
        self.assertEqual((bucket["first"], bucket["divergence"]["cycle"], bucket["chips"]), ("gemm.5", 2995, {"1": 1, "2": 1, "5": 1}))
        names = [since[k]["folder"] for k in ("first_seen", "since", "last_good")]
        self.assertEqual(names, ["regress-smoke.2", "regress-smoke.2", "regress-smoke.1"])
        self.assertEqual((since["seen"], since["ran"]), (2, 2))
        _, never = of(self.bad[0], "not finished")
        self.assertIsNone(never["last_good"])
        again, _ = self.regressions.add(2, bad_runs(), "b", "d1e2")
        self.assertEqual([r["folder"] for r in again["history"]["trend"]], ["regress-smoke.1", "regress-smoke.2"])
        self.assertEqual(of(again, "RTL and golden")[1], of(self.first_bad[0], "RTL and golden")[1])
        cured, _ = self.regressions.add(4, good_runs() + [record("gemm", 0)], "d")
        self.assertEqual(cured["buckets"], [])
        back, _ = self.regressions.add(5, bad_runs(), "e")
        names = [of(back, "RTL and golden")[1][k]["folder"] for k in ("first_seen", "since", "last_good")]
        self.assertEqual(names, ["regress-smoke.2", "regress-smoke.5", "regress-smoke.4"])

    def test_search_filters_addresses_and_keys(self):
        evidence, page = self.bad
        evaluate = self.open(page, "#runs?state=failed&q=ring")
        failed = {r["id"] for r in evidence["runs"] if r["state"] == "failed" and r["test"] == "ring"}
        self.assertEqual(set(evaluate(SHOWN_RUNS)), failed)
        evaluate = self.open(page, "#run-unit_prim.1")
        self.assertTrue(evaluate("document.getElementById('run-unit_prim.1').nextElementSibling.matches('.details')"))
        known = next(b["id"] for b in evidence["buckets"] if b["state"] == "expected failure")
        self.assertTrue(self.open(page, f"#bucket-{known}")(f"document.getElementById('bucket-{known}').open"))
        self.browser.key("/")
        self.assertEqual(evaluate("document.activeElement.id"), "filter")
        self.browser.key("z")
        self.assertEqual(evaluate("document.getElementById('filter').value"), "z")
        evaluate = self.open(page)
        unlike = evaluate("[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
                          ".filter(n => !n.startsWith('runs?') && !n.startsWith('run-') && !document.getElementById(n))")
        self.assertEqual(unlike, [], "links to nothing")

    def test_a_run_that_was_not_run_took_no_time(self):
        self.assertEqual([r["times"]["wall_s"] for r in self.bad[0]["runs"] if r["state"] == "not run"], [0.0])

    def test_a_point_with_a_run_that_was_not_run_has_not_failed(self):
        points = [p for p in self.good[0]["testplan"] if "gemm" in p["tests"]]
        self.assertEqual({p["status"] for p in points}, {"partly run"})

    def test_an_idle_chip_is_named(self):
        idle = self.open(self.bad[1])("[...document.querySelectorAll('#coverage tr')].filter(r => r.textContent.includes('idle'))"
                                      ".map(r => r.cells[0].textContent)")
        self.assertEqual(idle, ["chip 7 ✗ idle"])
        shades = self.browser.evaluate("['chip07', 'chip00'].map(c => document.querySelector("
                                       "`[data-figure=\"coverage.by_chip.${c}.line\"]`).closest('.cover').querySelector('i').className)")
        self.assertEqual(shades, ["bad", "good"])

    def test_goals_that_are_missed_are_named(self):
        note = self.open(self.bad[1])("document.querySelector('#coverage .note').textContent")
        self.assertIn("Below the goal: branch (90 %), functional.router (95 %).", note)
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('#coverage .goal').length"), 3)

    def test_nothing_sticks_out_of_a_narrow_window_and_it_prints(self):
        for width, dark in ((360, False), (1280, True), (1920, False)):
            self.browser.size(width, 900, dark)
            self.assertLessEqual(self.open(self.bad[1])("document.documentElement.scrollWidth"), width)
        paper = pathlib.Path(self.folder.name) / "report.pdf"
        self.browser.pdf(paper)
        self.assertEqual(paper.read_bytes()[:4], b"%PDF")
        self.browser.size(1280, 900)

    def test_two_thousand_runs_open_fast(self):
        many = Regressions(pathlib.Path(tempfile.mkdtemp(dir=self.folder.name)), COVERAGE)
        runs = [canary(), *(record("gemm", s, *(("failed", DIVERGED.format(chip=s % 12, cycle=s, pc=s)) if s % 9 == 0 else ()))
                            for s in range(2000))]
        evidence, page = many.add(1, runs, "a", goals=False)
        begin = time.monotonic()
        evaluate = self.open(page)
        self.assertEqual(evaluate("document.querySelectorAll('#all tbody tr').length"), 100)
        seconds = time.monotonic() - begin
        print(f"{len(evidence['runs'])} runs: {page.stat().st_size >> 10} KiB, {seconds:.2f} s to open", file=sys.stderr)
        self.assertLess(seconds, 6)
        self.assertNotIn("elow the goal", evaluate("document.querySelector('#coverage').textContent"))
        self.assertEqual(evaluate("document.querySelectorAll('#coverage .goal').length"), 0)


class Vendor(unittest.TestCase):
    def check(self, folder):
        return subprocess.run([sys.executable, "-I", ROOT / "scripts/start.py", "vendor", "check", "--folder", folder], capture_output=True, text=True)

    def test_the_library_is_the_one_of_the_list(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / "vendor"
            shutil.copytree(ROOT / "scripts/regress/vendor", folder)
            self.assertEqual(self.check(folder).returncode, 0)
            with open(folder / "uPlot.iife.min.js", "a") as file:
                file.write(" ")
            done = self.check(folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("uPlot.iife.min.js", done.stderr)


if __name__ == "__main__":
    unittest.main()
