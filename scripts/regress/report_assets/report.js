// Copy buttons, the filter of the run table, and the trend plots. The page is complete without this.
"use strict";

for (const button of document.querySelectorAll("[data-copy]"))
  button.addEventListener("click", async () => {
    const line = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(line);
    } catch {  // a file:// page may not use the clipboard
      const area = document.body.appendChild(document.createElement("textarea"));
      area.value = line;
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const name = button.textContent;
    button.textContent = "copied";
    setTimeout(() => { button.textContent = name; }, 1200);
  });

const filter = document.getElementById("filter");
filter.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\s+/);
  for (const row of document.querySelectorAll("#all tbody tr")) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
});

const trend = JSON.parse(document.getElementById("trend-data").textContent);
const ink = getComputedStyle(document.body);
const color = (name) => ink.getPropertyValue(name).trim();

function plot(id, title, series, range) {
  const box = document.getElementById(id);
  const shown = series.filter((line) => trend.some((point) => point[line.key] !== null));
  if (!box || !shown.length) {
    if (box) box.remove();
    return;
  }
  const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") } };
  const label = (i) => (Number.isInteger(i) && trend[i] ? trend[i].revision.slice(0, 7) : "");
  new uPlot({
    title, width: Math.max(300, box.clientWidth), height: 220, cursor: { y: false },
    scales: { x: { time: false, range: (u, low, high) => [low - 0.3, high + 0.3] }, y: { range } },
    axes: [{ ...axis, space: 70, values: (u, splits) => splits.map(label) }, { ...axis, size: 56 }],
    series: [{ label: "regression", value: (u, i) => (i === null ? "–" :
      `${new Date(trend[i].started * 1000).toLocaleString()} ${label(i)}`) },
    ...shown.map((line) => ({ label: line.label, stroke: color(line.color), width: 2, points: { size: 6 },
      value: (u, v) => (v === null ? "–" : `${Math.round(v * 10) / 10}${line.unit}`) }))],
  }, [trend.map((_, i) => i), ...shown.map((line) => trend.map((point) => (line.of || ((v) => v))(point[line.key])))], box);
}

if (trend.length > 1) {
  if (trend.every((point) => point.line === null)) document.getElementById("plot-coverage").remove();
  const fromZero = (u, low, high) => [0, Math.max(1, high * 1.1)];
  plot("plot-runs", "Runs", [
    { key: "passed", label: "passed", color: "--good", unit: "" },
    { key: "failed", label: "failed", color: "--bad", unit: "" }], fromZero);
  plot("plot-time", "Minutes", [
    { key: "wall_s", label: "minutes", color: "--blue", unit: "", of: (v) => v / 60 }], fromZero);
  plot("plot-coverage", "Coverage, net %", [
    { key: "line", label: "line", color: "--good", unit: " %" }, { key: "branch", label: "branch", color: "--blue", unit: " %" },
    { key: "toggle", label: "toggle", color: "--known", unit: " %" },
    { key: "functional", label: "functional", color: "--bad", unit: " %" }], () => [0, 100]);
}
