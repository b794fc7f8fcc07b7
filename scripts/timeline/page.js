// SPDX-License-Identifier: Apache-2.0
// Ties view, search and summary to the page. `page` is what tests look at.
"use strict";

const page = { ready: false };
const get = (id) => document.getElementById(id);

function list(rows) {
  return element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
}

function choose(span) {
  page.view.marked = span;
  const arrows = arrowsOf(span).map((steps) => element("ol", {}, ...steps.map((step) => {
    const line = element("li", { class: "go" }, `chip ${step.track.chip} ${step.track.name}: ${page.data.names[step.track.label[step.index]]}, cycle ${number(reached(step))}`);
    line.onclick = () => jump(step);
    return line;
  })));
  if (arrows.length > 8) arrows.splice(8, arrows.length, element("p", {}, `and ${arrows.length - 8} more arrows`));
  get("details").replaceChildren(list(describe(page.data, span)), ...arrows);
}

function jump(span) {
  choose(span);
  page.view.show(span.track, span.index);
}

// Along the first arrow of the chosen span.
function along(step) {
  const span = page.view.marked;
  for (const steps of arrowsOf(span)) {
    const next = steps[steps.findIndex((s) => s.track === span.track && s.index === span.index) + step];
    if (next) return jump(next);
  }
}

// The span of a warning: what cost most.
function culprit(warning) {
  const track = page.data.tracks.find((t) => t.chip === warning.chip && t.name === warning.track);
  return { track, index: above(track.begin, warning.begin) - 1 };
}

function select(from, to, tracks) {
  page.selected = summarize(page.data, tracks, from, to);
  const rows = page.selected.filter((s) => s.spans).map((s) => [`chip ${s.track.chip} ${s.track.name}`, s.spans, s.busy,
    { right: percent(s.busy, to - from) },
    s.names.slice(0, 3).map(([name, sum]) => `${name} ${number(sum.cycles)}`).join(", ")]);
  get("selection").hidden = false;
  get("selection").replaceChildren(element("p", {}, `cycles ${number(Math.round(from))} .. ${number(Math.round(to))} (${number(Math.round(to - from))})`),
    table(["track", "spans", "cycles", "busy", "most"], rows));
}

function look(text) {
  page.hits = find(page.data, text);
  page.at = -1;
  get("found").textContent = text ? `${number(page.hits.length)} found` : "";
  page.view.draw();
}

function next(step) {
  if (!page.hits?.length) return;
  page.at = (page.at + step + page.hits.length) % page.hits.length;
  const hit = page.hits[page.at];
  get("found").textContent = `${number(page.at + 1)} of ${number(page.hits.length)}`;
  jump(hit);
}

function switches(place, entries, set, inverse) {
  for (const [key, name] of entries) {
    const box = element("input", { type: "checkbox" });
    box.checked = set.has(key) !== inverse;
    box.onchange = () => {
      if (box.checked !== inverse) set.add(key); else set.delete(key);
      page.view.listRows();
      page.view.draw();
    };
    place.append(element("label", {}, box, name));
  }
}

function mouse(view, canvas) {
  let drag = null;
  canvas.onwheel = (event) => {
    event.preventDefault();
    if (event.ctrlKey) view.zoom(1.0015 ** event.deltaY, event.offsetX);
    else view.move(event.deltaX * (view.to - view.from) / view.width, event.deltaY);
  };
  canvas.onmousedown = (event) => { drag = { x: event.offsetX, y: event.offsetY, box: event.shiftKey, moved: false }; };
  canvas.onmousemove = (event) => {
    if (!drag) return;
    drag.moved ||= Math.abs(event.offsetX - drag.x) + Math.abs(event.offsetY - drag.y) > 3;
    if (drag.box) {
      view.box = { x0: drag.x, y0: drag.y, x1: event.offsetX, y1: event.offsetY };
      view.draw();
    } else if (drag.moved) {
      view.move(-event.movementX * (view.to - view.from) / (view.width - LABELS), -event.movementY);
    }
  };
  canvas.onmouseup = (event) => {
    if (drag?.box && drag.moved) {
      const [x0, x1] = [drag.x, event.offsetX].sort((a, b) => a - b), [y0, y1] = [drag.y, event.offsetY].sort((a, b) => a - b);
      const rows = new Set();
      for (let y = y0; y <= y1; y += ROW / 2) view.rowAt(y)?.tracks.forEach((track) => rows.add(track));
      select(view.cycle(x0), view.cycle(x1), [...rows]);
    } else if (drag && !drag.moved) {
      const span = view.spanAt(event.offsetX, event.offsetY), fold = view.rowAt(event.offsetY)?.fold;
      view.marked = null;
      if (span) choose(span);
      else if (fold && event.offsetX < LABELS && event.offsetY > RULER) view.toggle(fold);
    }
    drag = null;
    view.box = null;
    view.draw();
  };
}

async function main() {
  const data = page.data = await unpack(packed);
  document.title = `timeline of ${data.run}`;
  get("title").textContent = document.title;
  get("facts").textContent = `${number(data.end)} core cycles; numbers below are of ${number(data.summary.begin)} .. ${number(data.summary.end)}, first doorbell to last completion`;
  linkArrows(data);
  const view = page.view = new View(get("view"), data);
  const overview = new Overview(get("overview"), view, data);
  view.onDraw = () => overview.draw();
  switches(get("kinds"), Object.entries(KINDS), view.hidden, true);
  switches(get("chips"), [...view.chips].map((chip) => [chip, `${chip}`]), view.chips, false);
  mouse(view, get("view"));
  get("find").oninput = () => look(get("find").value);
  get("find").onkeydown = (event) => { if (event.key === "Enter") next(event.shiftKey ? -1 : 1); };
  get("fit").onclick = () => view.fit();
  get("only").onclick = () => view.showOnly();
  get("fold").onclick = () => view.foldAll(true);
  get("unfold").onclick = () => view.foldAll(false);
  get("in").onclick = () => view.zoom(0.6, view.width / 2);
  get("out").onclick = () => view.zoom(1 / 0.6, view.width / 2);
  document.onkeydown = (event) => {
    if (event.target.tagName === "INPUT") return;
    const step = (view.to - view.from) / 8;
    const does = { w: () => view.zoom(0.7, view.width / 2), s: () => view.zoom(1 / 0.7, view.width / 2),
      a: () => view.move(-step, 0), d: () => view.move(step, 0), f: () => view.fit(), o: () => view.showOnly(), "[": () => along(-1), "]": () => along(1) }[event.key];
    does?.();
  };
  showSummary(get("summary"), data.summary);
  view.draw();
  page.ready = true;
}
main();
