// SPDX-License-Identifier: Apache-2.0
// Past regressions of this suite: plots, and the same as a table with links to their reports.
"use strict";

const trend = (evidence.history || { trend: [] }).trend;
const PLOTS = [
  { id: "runs", title: "Runs", unit: "", lines: [["passed", "passed", "--good"], ["failed", "failed", "--bad"]] },
  { id: "time", title: "Minutes", unit: " min", lines: [["wall_s", "minutes", "--blue", (s) => s / 60]] },
  { id: "coverage", title: "Coverage, net %", unit: " %", top: 100, lines: [["line", "line", "--good"],
    ["branch", "branch", "--blue"], ["toggle", "toggle", "--known"], ["functional", "functional", "--violet"]] }];
const plotted = (plot) => plot.lines.filter(([key]) => trend.some((row) => row[key] !== null));

let drawn = [];
function drawTrend() {
  for (const plot of drawn) plot.destroy();
  drawn = trend.length < 2 ? [] : PLOTS.filter((plot) => plotted(plot).length).map(drawPlot);
}

function drawPlot(plot) {
  const style = getComputedStyle(document.documentElement), color = (name) => style.getPropertyValue(name).trim();
  const box = document.getElementById(`plot-${plot.id}`), lines = plotted(plot);
  const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 } };
  const date = (i) => (Number.isInteger(i) && trend[i] ? day(trend[i].started).slice(0, 10) : "");
  const values = lines.map(([key, , , change]) => trend.map((row) => (row[key] === null || !change ? row[key] : change(row[key]))));
  const top = plot.top || Math.max(1, ...values.flat()) * 1.08;
  return new uPlot({
    title: plot.title, width: Math.max(260, box.clientWidth), height: 230,
    scales: { x: { time: false, range: (u, low, high) => [low - 0.3, high + 0.3] }, y: { range: () => [0, top] } },
    axes: [{ ...axis, space: 90, incrs: [1, 2, 5, 10, 20], values: (u, marks) => marks.map(date) }, { ...axis, size: 52 }],
    series: [{ label: "regression", value: (u, i) => (i === null ? "" : `${day(trend[i].started)} ${tree(trend[i])}`) },
      ...lines.map(([, label, ink]) => ({ label, stroke: color(ink), width: 2, points: { size: 6, fill: color(ink) },
        value: (u, v) => (v === null ? "–" : `${Math.round(v * 10) / 10}${plot.unit}`) }))],
  }, [trend.map((_, i) => i), ...values], box);
}

function trendSection() {
  const note = trend.length > 1 ? `The last ${trend.length} regressions of ${evidence.suite}${evidence.selection ? ` with ${evidence.selection}` : ""}, up to this one.` : null;
  if (trend.length < 2)
    return section("trend", "Trend", null, note, nothing("A trend needs two regressions; this is the first in its history."));
  const share = (row, key) => (row[key] === null ? "–" : percent(row[key]));
  return section("trend", "Trend", { n: trend.length }, note,
    h("div", { class: "plots" }, PLOTS.filter((plot) => plotted(plot).length).map((plot) =>
      h("div", { id: `plot-${plot.id}`, class: "plot", role: "img", "aria-label": `${plot.title} over past regressions; the table below has the figures` }))),
    h("details", null, h("summary", null, "as a table"), table(
      ["started", "revision", "seed", "#runs", "#passed", "#failed", "#time", "#line", "#branch", "#toggle", "#functional"],
      [...trend].reverse().map((row) => [
        row.started === evidence.times.started ? [day(row.started), " (this)"] :
          h("a", { href: `../${encodeURIComponent(row.folder)}/report.html` }, day(row.started)),
        h("code", null, tree(row)), String(row.seed),
        ...["runs", "passed", "failed"].map((key) => figure(`trend.${row.id}.${key}`, row[key])), clock(row.wall_s),
        ...["line", "branch", "toggle", "functional"].map((key) => share(row, key))]))));
}
