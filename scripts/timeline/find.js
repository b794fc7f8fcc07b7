// SPDX-License-Identifier: Apache-2.0
// Finding spans by name, and what a box or one span says.
"use strict";

// All spans whose name or detail contains `text` in any case: [{track, index}] by time.
function find(data, text) {
  const wanted = text.trim().toLowerCase();
  const fits = data.names.map((name) => wanted !== "" && name.toLowerCase().includes(wanted));
  const hits = [];
  for (const track of data.tracks) {
    track.hit = null;
    if (!track.label) continue;
    track.label.forEach((label, index) => {
      if (!fits[label] && !fits[track.detail[index]]) return;
      (track.hit ??= new Set()).add(index);
      hits.push({ track, index });
    });
  }
  return hits.sort((a, b) => a.track.begin[a.index] - b.track.begin[b.index]);
}

// By track: cycles of [from, to) that its spans cover; by name of span: how many, how long.
function summarize(data, tracks, from, to) {
  return tracks.filter((track) => track.label).map((track) => {
    const names = new Map();
    let busy = 0, spans = 0;
    for (let i = Math.max(0, above(track.begin, from) - 1); i < track.begin.length && track.begin[i] < to; ++i) {
      const cycles = Math.min(track.begin[i] + track.length[i], to) - Math.max(track.begin[i], from);
      if (cycles <= 0) continue;
      busy += cycles;
      ++spans;
      const name = data.names[track.label[i]];
      const sum = names.get(name) ?? { spans: 0, cycles: 0 };
      names.set(name, { spans: sum.spans + 1, cycles: sum.cycles + cycles });
    }
    return { track, busy, spans, names: [...names].sort((a, b) => b[1].cycles - a[1].cycles) };
  });
}

function describe(data, { track, index }) {
  const begin = track.begin[index], cycles = track.length[index];
  const rows = [["chip", track.chip], ["track", track.name], ["what", data.names[track.label[index]]],
    ["cycles", `${number(begin)} .. ${number(begin + cycles - 1)} (${number(cycles)})`]];
  if (track.pc[index] >= 0) rows.push(["pc", number(track.pc[index])]);
  if (data.names[track.detail[index]]) rows.push(["in words", data.names[track.detail[index]]]);
  if (data.names[track.source[index]]) rows.push(["source", data.names[track.source[index]]]);
  if (index > 0) rows.push(["gap before", number(begin - track.begin[index - 1] - track.length[index - 1])]);
  return rows;
}
