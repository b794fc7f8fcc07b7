// SPDX-License-Identifier: Apache-2.0
// What is below the timeline: busy and idle by engine, bytes by memory, roofline.
"use strict";

function element(tag, attributes = {}, ...children) {
  const made = tag === "svg" || element.svg.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
element.svg = new Set(["line", "circle", "text", "polyline", "title"]);

function table(heads, rows) {
  const cell = (tag, value) => element(tag, typeof value === "number" || value?.right ? { class: "number" } : {},
    value?.node ?? value?.right ?? (typeof value === "number" ? number(value) : value));
  return element("table", {}, element("thead", {}, element("tr", {}, ...heads.map((h) => cell("th", h)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((value) => cell("td", value))))));
}

function engines(summary) {
  const whole = summary.end - summary.begin;
  const legend = element("p", { class: "legend" });
  for (const [why, shade] of [["busy", WORK], ...Object.entries(WAITS)])
    legend.append(element("i", { style: `background:${shade}` }), why);
  const rows = summary.engines.map((row) => {
    const bar = element("div", { class: "bar" });
    for (const [why, cycles] of [["busy", row.busy], ...Object.entries(row.waits)])
      bar.append(element("i", { style: `width:${100 * cycles / whole}%;background:${why === "busy" ? WORK : WAITS[why]}`,
        title: `${why}: ${number(cycles)} cycles, ${percent(cycles, whole)}` }));
    const worst = Object.entries(row.waits).sort((a, b) => b[1] - a[1])[0];
    return [`chip ${row.chip}`, `core ${row.core}`, row.engine, { right: percent(row.busy, whole) }, { node: bar },
      worst ? `${worst[0]} ${percent(worst[1], whole)}` : ""];
  });
  const made = table(["", "", "engine", "busy", "busy, and why not", "mostly waits for"], rows);
  made.id = "engines";
  return [legend, made];
}

const WARNINGS = { idle: "array idle", small: "small copies", early: "wait could end earlier" };

// The worst first; a click shows the span that cost most, with its arrows.
function warnings(summary) {
  const found = summary.warnings ?? [];
  const made = table(["cycles", "times", "", "what", "line", "came last", "line"],
    found.map((w) => [w.cycles, w.times, WARNINGS[w.kind], w.what, w.source, w.late, w.late_source]));
  made.id = "warnings";
  made.querySelectorAll("tbody tr").forEach((row, i) => {
    row.className = "go";
    row.onclick = () => jump(culprit(found[i]));
  });
  return made;
}

function bytes(summary) {
  const rows = summary.chips.map((c) => [`chip ${c.chip}`, c.instructions, c.hbm_read, c.hbm_written, c.sbuf_written,
    c.psum_written, c.messages, c.received, { right: percent(c.ops_per_cycle, summary.roof.ops_per_cycle) }]);
  return table(["", "instructions", "HBM read", "HBM written", "SBUF written", "PSUM written", "messages", "received", "of peak"], rows);
}

// Operations per cycle over operations per HBM byte, both logarithmic.
function roofline(summary) {
  const { ops_per_cycle: peak, hbm_bytes_per_cycle: slope } = summary.roof;
  const w = 420, h = 260, left = 54, base = h - 34;
  const lowX = -2, highX = 4, highY = Math.ceil(Math.log10(peak)), lowY = highY - 5;
  const x = (v) => left + (Math.log10(Math.max(v, 1e-9)) - lowX) / (highX - lowX) * (w - left - 10);
  const y = (v) => base - (Math.log10(Math.max(v, 1e-9)) - lowY) / (highY - lowY) * (base - 14);
  const ridge = peak / slope;
  const svg = element("svg", { width: w, height: h, role: "img", "aria-label": "roofline" });
  for (let d = lowX; d <= highX; ++d) svg.append(element("text", { x: x(10 ** d) - 8, y: base + 14, class: "soft" }, `1e${d}`));
  for (let d = lowY; d <= highY; ++d) svg.append(element("text", { x: 10, y: y(10 ** d) + 4, class: "soft" }, `1e${d}`));
  svg.append(element("polyline", { fill: "none", stroke: "#d9483b", "stroke-width": 2,
    points: `${x(10 ** (lowY) / slope)},${base} ${x(ridge)},${y(peak)} ${x(10 ** highX)},${y(peak)}` }));
  svg.append(element("text", { x: x(ridge) + 8, y: y(peak) - 3 }, `${number(peak)} operations/cycle`));
  svg.append(element("text", { x: left, y: h - 4 }, "operations per HBM byte"), element("text", { x: 4, y: 10 }, "operations/cycle"));
  for (const chip of summary.chips) {
    if (!chip.ops_per_cycle || !chip.intensity) continue;
    const dot = element("circle", { cx: x(chip.intensity), cy: y(chip.ops_per_cycle), r: 4, fill: WORK, "fill-opacity": 0.7 });
    dot.append(element("title", {}, `chip ${chip.chip}: ${chip.ops_per_cycle.toFixed(1)} operations/cycle, ${chip.intensity.toFixed(2)} per byte`));
    svg.append(dot);
  }
  return svg;
}

function showSummary(place, summary) {
  place.append(element("h2", {}, "Warnings"), warnings(summary),
    element("p", {}, "Cycles are summed over the board: of arrays that do not multiply; of copies by rows narrower than a line, beyond what their bytes take at full rate; "
      + "of waits, at most, whose copy was queued while another DMA engine of its core had nothing to do. A click shows where it cost most."),
    element("div", { class: "columns" },
      element("div", {}, element("h2", {}, "Bytes"), bytes(summary)),
      element("div", {}, element("h2", {}, "Roofline"), roofline(summary))),
    element("h2", {}, "Engines"), ...engines(summary));
}
