// SPDX-License-Identifier: Apache-2.0
// Elements, tables and figures. All text gets into the page as text: nothing here parses HTML.
"use strict";

const evidence = JSON.parse(document.getElementById("evidence").textContent);
const BAD = ["failed", "timeout", "killed", "build error", "unexpected pass"];
const GLYPH = { good: "✓", bad: "✗", known: "!", none: "–" };

// h("a", { href: "#x", class: "y", onclick: f }, "text", element, null, [more])
function h(tag, attributes, ...children) {
  const element = tag === "svg" || tag === "path" || tag === "circle" ?
    document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(element.style, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const kind = (state) => BAD.includes(state) || state === "missed" || state === "expired" || state === "idle" ? "bad" :
  state === "expected failure" || state === "partly run" ? "known" :
    state === "not run" || state === "no data" ? "none" : "good";
const badge = (state, text) => h("span", { class: `badge ${kind(state)}` }, `${GLYPH[kind(state)]} ${text || state}`);

const count = (n) => (n === null || n === undefined ? "–" : n.toLocaleString("en-US"));
const plural = (n, word, words) => `${count(n)} ${n === 1 ? word : words || word + "s"}`;
const two = (n) => String(n).padStart(2, "0");
function clock(seconds) {
  const s = Math.round(seconds), hours = Math.floor(s / 3600);
  return (hours ? `${hours}:${two(Math.floor(s / 60) % 60)}` : Math.floor(s / 60)) + `:${two(s % 60)}`;
}
function day(seconds) {
  const t = new Date(seconds * 1000);
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())} ${two(t.getHours())}:${two(t.getMinutes())}`;
}
const tree = (r) => (r.revision || r.commit).slice(0, 10) + (r.dirty ? "+" : "");
const percent = (x, digits = 1) => `${x.toFixed(digits)} %`;
const by = (key) => (a, b) => { const x = key(a), y = key(b); return x < y ? -1 : x > y ? 1 : 0; };

// A number that a test compares with evidence.json: the value as it is there, whatever is shown.
const figure = (name, value, shown) =>
  h("span", { "data-figure": name, "data-value": JSON.stringify(value) }, shown === undefined ? count(value) : shown);

const say = (text) => { document.getElementById("said").textContent = text; };

function copyButton(line, label = "copy") {
  const button = h("button", { type: "button", class: "copy", "data-copy": line, "aria-label": `copy: ${line}`, title: line }, label);
  button.addEventListener("click", async (event) => {
    event.stopPropagation();
    try {
      await navigator.clipboard.writeText(line);
    } catch {  // a page from a file may have no clipboard
      const area = document.body.appendChild(h("textarea", { class: "offscreen" }));
      area.value = line;
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.textContent = "copied";
    say("copied");
    setTimeout(() => { button.textContent = label; }, 1200);
  });
  return button;
}
const command = (line, prompt = "$") => h("div", { class: "command" },
  h("code", null, h("span", { class: "prompt", "aria-hidden": "true" }, prompt + " "), line), copyButton(line));

// head: names; a leading # is a column of numbers. rows: arrays of cells, or ready <tr>.
function table(head, rows, attributes) {
  const names = head.map((name) => name.replace(/^#/, ""));
  const css = head.map((name) => (name.startsWith("#") ? "num" : null));
  return h("div", { class: "scroll" }, h("table", attributes,
    h("thead", null, h("tr", null, names.map((name, i) => h("th", { class: css[i], scope: "col" }, name)))),
    h("tbody", null, rows.map((row) => (row instanceof Element ? row :
      h("tr", null, row.map((cell, i) => h("td", { class: css[i] }, cell))))))));
}

const bar = (share, css) => h("span", { class: "track", "aria-hidden": "true" },
  h("i", { class: css, style: { width: `${Math.max(0, Math.min(100, 100 * share))}%` } }));

const sections = [];
// mark: what the contents list shows beside the name, and whether it is bad news.
function section(id, title, mark, note, ...body) {
  sections.push({ id, title, mark });
  return h("section", { id, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title, h("a", { class: "anchor", href: `#${id}`, "aria-label": `link to ${title}` }, "#")),
    note ? h("p", { class: "note" }, note) : null, body);
}
const nothing = (text) => h("p", { class: "none" }, text);
const fine = (text) => h("p", { class: "fine" }, "✓ ", text);
