// SPDX-License-Identifier: Apache-2.0
// Coverage as the converter gives it: a figure is {raw, net, hit, total, excluded} or a bare percentage.
"use strict";

const KINDS = ["line", "branch", "toggle", "functional"];
// "line" or, of one block, "functional.tensor": what net must reach; none in a suite that is not measured by them.
const GOALS = Object.fromEntries(evidence.goals.map((g) => [g.name, g.target]));
const netOf = (f) => (typeof f === "number" ? f : f && typeof f.net === "number" ? f.net : null);

function coverCell(name, f, goal) {
  if (f === undefined) return "";
  const net = netOf(f);
  if (net === null) return h("span", { class: "soft" }, "no data");
  const raw = typeof f === "object" ? f.raw : null;
  const shade = goal !== undefined ? (net >= goal ? "good" : net >= goal - 20 ? "known" : "bad") :
    net >= 85 ? "good" : net >= 60 ? "known" : "bad";
  return h("div", { class: "cover" },
    h("span", { class: "track", "aria-hidden": "true" }, h("i", { class: shade, style: { width: `${net}%` } }),
      goal !== undefined ? h("i", { class: "goal", style: { left: `${goal}%` } }) : null),
    h("b", null, figure(`coverage.${name}`, net, percent(net))),
    typeof raw === "number" ? h("small", null, `${count(f.hit)} / ${count(f.total)}`,
      raw === net ? "" : [" · raw ", figure(`raw.${name}`, raw, percent(raw))],
      f.excluded ? ` · ${count(f.excluded)} excluded` : "") : null);
}

// Kinds of which no row has data are no columns.
function coverTable(title, name, rows, goalOf = () => undefined) {
  const kinds = KINDS.filter((k) => Object.values(rows).some((r) => netOf(r[k]) !== null));
  if (!kinds.length) return null;
  return [h("h3", null, title), table(["", ...kinds], Object.entries(rows).map(([key, row]) => [
    [h("span", { class: "nowrap" }, key.replace(/^chip0*(\d)/, "chip $1")), idle(key, row, rows) ? [" ", badge("idle")] : null],
    ...kinds.map((k) => coverCell(`${name}.${key}.${k}`, row[k], goalOf(key, k)))]), { class: "covers" })];
}

// A chip that hits less than half of the lines of the best one did not do its part.
function idle(key, row, rows) {
  if (!key.startsWith("chip") || netOf(row.line) === null) return false;
  const best = Math.max(...Object.values(rows).map((r) => netOf(r.line) || 0));
  return best > 0 && netOf(row.line) < best / 2;
}

function functionalGroups(groups) {
  return [h("h3", null, "Functional, by group of bins"), table(["group", "hit", "not hit"],
    Object.entries(groups).map(([name, g]) => [name,
      h("div", { class: "cover" }, bar(g.hit / g.total, g.hit === g.total ? "good" : g.hit > g.total / 2 ? "known" : "bad"),
        h("b", null, figure(`group.${name}`, g.hit), h("span", { class: "soft" }, ` of ${count(g.total)}`))),
      g.missed.length ? h("details", null, h("summary", null, plural(g.missed.length, "bin")),
        h("ul", { class: "bins" }, g.missed.map((bin) => h("li", null, h("code", null, bin))))) : "–"]), { class: "covers" })];
}

function exclusions(list) {
  if (!list || !list.length) return null;
  const word = (v) => (Array.isArray(v) ? v.join(", ") : String(v));
  const rest = ["what", "kind", "reason"];
  return h("details", { class: "sub" }, h("summary", null, `Left out of the net figures: ${plural(list.length, "rule")}, with reasons`),
    table(["what", "rule", "kind", "reason"], list.map((x) => [x.what,
      Object.entries(x).filter(([key]) => !rest.includes(key)).map(([key, v]) => h("div", null, h("span", { class: "soft" }, `${key} `), h("code", null, word(v)))),
      x.kind || "", x.reason || ""])));
}

function coverageSection() {
  const c = evidence.coverage;
  if (!c) return section("coverage", "Coverage", null, null, nothing("No run left coverage data: no figures are made up."));
  if (c.problem)
    return section("coverage", "Coverage", { n: "✗", bad: true }, null, h("p", { class: "bad" }, `The converter failed: ${c.problem}`));
  const stale = c.exclusions_out_of_date || [];
  const reached = (name) => { const [k, block] = name.split("."); return netOf(block ? ((c.by_block || {})[block] || {})[k] : c[k]); };
  const missed = Object.keys(GOALS).filter((name) => reached(name) === null || reached(name) < GOALS[name]);
  const groups = c.functional && c.functional.groups;
  const title = { by_block: "By block", by_chip: "By chip", by_instance: "By instance" };
  const models = c.cmodel ? { "golden model": c.cmodel, ...Object.fromEntries(Object.entries(c.cmodel.by_file || {}).map(
    ([file, f]) => [file, typeof f === "number" ? { line: f } : f.line !== undefined ? f : { line: f }])) } : null;
  return section("coverage", "Coverage", { n: netOf(c.functional) === null ? "" : `${Math.floor(netOf(c.functional))} %` },
    ["Net leaves out what is excluded with a reason and nobody hit; raw does not. ",
      c.runs === undefined ? "" : [figure("coverage.runs", c.runs), ` runs counted, ${count(c.runs_with_code)} of them with counters in the RTL`,
        c.runs_not_passed ? `; ${plural(c.runs_not_passed, "run")} that did not pass left out` : "", ". "],
      missed.length ? `Below the goal: ${missed.map((k) => `${k} (${GOALS[k]} %)`).join(", ")}.` : ""],
    stale.map((line) => h("p", { class: "bad" }, `Exclusion out of date: ${line}`)),
    coverTable("All", "all", { "all chips": c }, (key, k) => GOALS[k]),
    c.runs_with_code === 0 ? nothing("Lines, branches and toggles are counted by runs with --coverage; there were none.") : null,
    Object.keys(c).filter((key) => key.startsWith("by_")).sort().map((key) =>
      coverTable(title[key] || key.replace("by_", "By "), key, c[key], key === "by_block" ? (block, k) => GOALS[`${k}.${block}`] : undefined)),
    models ? coverTable("Golden model, C++ (gcov)", "cmodel", models) : null,
    groups && Object.keys(groups).length ? functionalGroups(groups) : null,
    exclusions(c.exclusions));
}
