// SPDX-License-Identifier: Apache-2.0
// The data of the page, as scripts/commands/timeline.py packed them: columns instead of objects.
"use strict";

const KINDS = { work: "engines", wait: "waits", psum: "PSUM banks", dma: "DMA", link: "links", semaphore: "semaphores", counter: "counters" };
const WAITS = { semaphore: "#d9a02b", fetch: "#7a8fd0", engine: "#b36bb0", update: "#c46a4a", ending: "#8fa3a8", doorbell: "#b6bdc9", ended: "#d3d8e0", stopped: "#d9483b", issue: "#5fb7a5" };
const WORK = "#3a7fd5", BYTES = "#c47a1c", ARROW = "#d6246e";
const FONT = "11px system-ui, 'DejaVu Sans', sans-serif";

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

// First index of `list` whose value is > x.
function above(list, x) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] > x) high = middle; else low = middle + 1;
  }
  return low;
}

// Tracks that fold into one row: those of an engine, of a core's DMA, of a link ..
function group(track) {
  const [core] = track.name.match(/core \d/) ?? [""];
  return { dma: `${core} DMA`, psum: `${core} PSUM`, semaphore: "semaphores", counter: "counters",
    link: track.name.match(/link \d+/)?.[0] }[track.kind] ?? track.name.match(/core \d \w+/)?.[0] ?? track.name;
}

// A color by what the span is: the first word of its name.
function color(kind, name) {
  const word = name.split(" ")[0];
  if (kind === "wait") return WAITS[word] ?? "#999";
  let hash = 0;
  for (const c of word) hash = (hash * 31 + c.charCodeAt(0)) >>> 0;
  return `hsl(${hash % 360} 52% 56%)`;
}

const number = (n) => n.toLocaleString("en");
const percent = (part, whole) => (whole ? (100 * part / whole).toFixed(1) + " %" : "–");
