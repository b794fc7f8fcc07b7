// SPDX-License-Identifier: Apache-2.0
// Tests with their past, cycles against baselines, slowest runs.
"use strict";

const past = evidence.history || { tests: {}, cycles: {}, trend: [] };

// One cell per past regression: good, bad, or not in it.
function strip(name) {
  const cells = (past.tests[name] || []).slice(-30);
  const from = (past.tests[name] || []).length - cells.length;
  const word = (cell) => (cell ? `${cell[1]} of ${cell[0]} wrong` : "not run");
  return h("span", { class: "strip", role: "img", "aria-label": `past regressions, newest last: ${cells.map(word).join("; ")}` },
    cells.map((cell, i) => h("i", { class: cell ? (cell[1] ? "bad" : "good") : "",
      title: `${regressionName(past.trend[from + i])}: ${word(cell)}` })));
}

const range = (values) => (!values.length ? "–" : Math.min(...values) === Math.max(...values) ? count(values[0]) :
  `${count(Math.min(...values))} – ${count(Math.max(...values))}`);

function tests() {
  const groups = new Map();
  for (const run of evidence.runs)
    if (run.kind === "test") groups.set(run.test, [...(groups.get(run.test) || []), run]);
  const rows = [...groups].map(([name, runs]) => ({ name, runs, bad: runs.filter((r) => BAD.includes(r.state)).length }));
  rows.sort((a, b) => b.bad - a.bad || (a.name < b.name ? -1 : 1));
  const wrong = rows.filter((r) => r.bad).length;
  return section("tests", "Tests", wrong ? { n: `${wrong} of ${rows.length}`, bad: true } : { n: rows.length },
    `Worst first. The strip is the past of each test, one cell per regression of ${evidence.suite}, newest right.`,
    table(["test", "owner", "#runs", "#wrong", "past", "#cycles", "#s, mean"], rows.map(({ name, runs, bad }) =>
      h("tr", { id: `test-${name}` }, h("td", null, h("a", { href: runsLink({ test: name }) }, name)), h("td", null, runs[0].owner),
        h("td", { class: "num" }, figure(`test.${name}.runs`, runs.length)),
        h("td", { class: `num ${bad ? "bad" : "soft"}` }, figure(`test.${name}.bad`, bad)), h("td", null, strip(name)),
        h("td", { class: "num" }, range(runs.map((r) => r.cycles).filter((c) => c))),
        h("td", { class: "num" }, (runs.reduce((s, r) => s + r.times.wall_s, 0) / runs.length).toFixed(1))))));
}

function sparkline(values) {
  const points = values.map((v, i) => [i, v]).filter(([, v]) => v !== null).slice(-30);
  if (points.length < 2) return h("span", { class: "soft" }, "–");
  const all = points.map(([, v]) => v), middle = (Math.min(...all) + Math.max(...all)) / 2;
  const half = Math.max((Math.max(...all) - Math.min(...all)) / 2, middle * 0.01);  // 1 % is the least that fills it
  const x = (i) => 3 + 94 * i / (points.length - 1), y = (v) => 12 - 9 * (v - middle) / half;
  const [, last] = points[points.length - 1];
  return h("svg", { viewBox: "0 0 100 24", width: 100, height: 24, class: "spark", role: "img",
    "aria-label": `cycles, oldest first: ${all.join(", ")}` },
  h("path", { d: points.map(([, v], i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join("") }),
  h("circle", { cx: x(points.length - 1), cy: y(last), r: 2.5 }));
}

function baselines() {
  const gates = evidence.baselines, missed = gates.filter((g) => !g.met).length;
  return section("performance", "Performance against baselines", missed ? { n: `${missed} missed`, bad: true } : { n: gates.length },
    gates.length ? ["Core cycles with seed 1. More than 2 % either way misses the gate: an improvement has to be recorded, too: ",
      copyButtonText("scripts/dodeca regress baseline --update")] : null,
    gates.length ? table(["test", "config", "#cycles", "#recorded", "#change", "", "past", "why"], gates.map((g) => [
      g.test, g.config, figure(`cycles.${g.test}.${g.config}`, g.cycles), figure(`recorded.${g.test}.${g.config}`, g.recorded),
      g.ratio ? `${g.ratio >= 1 ? "+" : "−"}${Math.abs(100 * (g.ratio - 1)).toFixed(2)} %` : "–",
      badge(g.met ? "passed" : "missed", g.met ? "met" : "missed"), sparkline(past.cycles[g.test] || []), g.why || ""])) :
      nothing("No baselines in this selection: they are measured when a whole suite runs."));
}

function slowest() {
  const runs = [...evidence.runs].sort((a, b) => b.times.wall_s - a.times.wall_s || (a.id < b.id ? -1 : 1)).slice(0, 15);
  const work = evidence.runs.reduce((s, r) => s + r.times.wall_s, 0), wall = evidence.times.wall_s;
  const longest = runs.length ? runs[0].times.wall_s || 1 : 1;
  return section("slowest", "Slowest runs", null,
    `${clock(work)} of runs in ${clock(wall)}, ${plural(evidence.jobs, "run")} at once` +
      (wall ? `: ${Math.min(100, Math.round(100 * work / wall / evidence.jobs))} % of the time all were busy.` : "."),
    table(["run", "", "#s", "#MiB", "#cycles", "#cycles/s"], runs.map((r) => [h("a", { href: `#run-${r.id}` }, r.id),
      bar(r.times.wall_s / longest, "blue"), figure(`slow.${r.id}`, r.times.wall_s, r.times.wall_s.toFixed(1)),
      r.times.rss_mib ? count(Math.round(r.times.rss_mib)) : "–", count(r.cycles),
      r.times.cycles_per_s ? count(Math.round(r.times.cycles_per_s)) : "–"]), { class: "slow" }));
}
