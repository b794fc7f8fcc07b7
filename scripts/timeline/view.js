// SPDX-License-Identifier: Apache-2.0
// The canvas: which tracks and cycles are seen, and how they are drawn.
"use strict";

const ROW = 17, RULER = 22, LABELS = 190;

class View {
  constructor(canvas, data) {
    this.canvas = canvas;
    this.data = data;
    this.hidden = new Set(["psum", "semaphore", "counter"]);
    this.folded = new Set();  // "chip", "chip group"
    this.only = null;         // tracks, if nothing else is to be seen
    this.chips = new Set(data.tracks.map((t) => t.chip));
    this.from = data.summary.begin;
    this.to = Math.max(data.summary.end, data.summary.begin + 1);
    this.top = 0;
    this.box = null;      // {x0, y0, x1, y1} while selecting
    this.marked = null;   // {track, index}
    for (const track of data.tracks) if (track.value) track.high = track.value.reduce((a, b) => Math.max(a, b), 1);
    this.listRows();
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  listRows() {
    this.rows = [];
    const shown = this.data.tracks.filter((track) => this.only ? this.only.has(track) : this.chips.has(track.chip) && !this.hidden.has(track.kind));
    for (const [chip, tracks] of [...Map.groupBy(shown, (track) => track.chip)].sort(([a], [b]) => a - b)) {
      const folded = this.folded.has(`${chip}`);
      this.rows.push({ title: true, name: `chip ${chip}`, fold: `${chip}`, tracks: folded ? tracks.filter((t) => t.kind === "work" || t.kind === "dma") : [] });
      if (folded) continue;
      for (const [name, members] of Map.groupBy(tracks, group)) {
        const fold = `${chip} ${name}`;
        if (members.length > 1 && this.folded.has(fold)) this.rows.push({ name, fold, tracks: members });
        else members.forEach((track, i) => this.rows.push({ name: track.name, fold: members.length > 1 ? fold : null, first: i === 0, tracks: [track] }));
      }
    }
    this.rowOf = new Map(this.rows.flatMap((row, at) => row.tracks.map((track) => [track, at])));
  }
  toggle(fold) {
    if (!this.folded.delete(fold)) this.folded.add(fold);
    this.listRows();
    this.draw();
  }
  // Only the tracks of the arrows of the chosen span, which may lie on chips far apart; or all again.
  showOnly() {
    const tracks = arrowsOf(this.marked).flat().map((step) => step.track);
    this.only = this.only || !tracks.length ? null : new Set(tracks);
    this.top = 0;
    this.listRows();
    this.draw();
  }
  foldAll(on) {
    this.folded = new Set(on ? [...this.chips].map(String) : []);
    this.top = 0;
    this.listRows();
    this.draw();
  }

  fit() { this.from = 0; this.to = this.data.end; this.draw(); }
  x(cycle) { return LABELS + (cycle - this.from) / (this.to - this.from) * (this.width - LABELS); }
  cycle(x) { return this.from + (x - LABELS) / (this.width - LABELS) * (this.to - this.from); }
  rowAt(y) { return this.rows[Math.floor((y - RULER + this.top) / ROW)]; }

  zoom(factor, x) {
    const at = this.cycle(Math.max(x, LABELS));
    const span = Math.min(Math.max((this.to - this.from) * factor, 20), this.data.end * 1.2);
    const share = (at - this.from) / (this.to - this.from);
    this.from = at - share * span;
    this.to = this.from + span;
    this.draw();
  }
  move(cycles, pixels) {
    this.from += cycles;
    this.to += cycles;
    this.top = Math.max(0, Math.min(this.top + pixels, this.rows.length * ROW - 60));
    this.draw();
  }
  show(track, index) {
    this.marked = { track, index };
    if (this.only && !this.only.has(track)) this.only = null;
    this.chips.add(track.chip);
    this.hidden.delete(track.kind);
    this.folded.delete(`${track.chip}`);
    this.folded.delete(`${track.chip} ${group(track)}`);
    this.listRows();
    const begin = track.begin[index], end = begin + track.length[index];
    if (begin < this.from || end > this.to) {
      const half = Math.max((this.to - this.from) / 2, end - begin);
      this.from = (begin + end) / 2 - half;
      this.to = this.from + 2 * half;
    }
    const y = this.rowOf.get(track) * ROW;
    if (y < this.top || y > this.top + this.height - RULER - ROW) this.top = Math.max(0, y - this.height / 2);
    this.draw();
  }
  spanAt(x, y) {
    if (x < LABELS || y < RULER) return null;
    const cycle = this.cycle(x), slack = 2 * (this.to - this.from) / this.width;
    for (const track of this.rowAt(y)?.tracks ?? []) {
      const index = above(track.begin, cycle) - 1;
      if (track.label && index >= 0 && cycle < track.begin[index] + track.length[index] + slack) return { track, index };
    }
    return null;
  }

  draw() {
    const scale = window.devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = this.width * scale;
    this.canvas.height = this.height * scale;
    const g = this.canvas.getContext("2d");
    g.scale(scale, scale);
    const style = getComputedStyle(document.documentElement);
    this.ink = style.getPropertyValue("--ink");
    this.soft = style.getPropertyValue("--soft");
    this.line = style.getPropertyValue("--line");
    this.shade = style.getPropertyValue("--shade");
    g.clearRect(0, 0, this.width, this.height);
    g.font = FONT;
    g.textBaseline = "middle";
    const first = Math.floor(this.top / ROW), last = Math.min(this.rows.length, first + Math.ceil(this.height / ROW) + 1);
    for (let i = first; i < last; ++i) this.drawRow(g, this.rows[i], RULER + i * ROW - this.top);
    if (this.marked) this.drawMarked(g);
    this.drawRuler(g);
    this.onDraw?.();
    if (this.box) {
      g.fillStyle = "rgba(58, 127, 213, 0.18)";
      const b = this.box;
      g.fillRect(Math.min(b.x0, b.x1), Math.min(b.y0, b.y1), Math.abs(b.x1 - b.x0), Math.abs(b.y1 - b.y0));
    }
  }

  drawRuler(g) {
    g.clearRect(0, 0, this.width, RULER);
    const raw = (this.to - this.from) / 8, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
    g.fillStyle = this.soft;
    g.fillText("core cycle", 8, RULER / 2);
    for (let c = Math.ceil(this.from / step) * step; c <= this.to; c += step) {
      const x = this.x(c);
      if (x < LABELS) continue;
      g.fillStyle = this.line;
      g.fillRect(x, RULER - 6, 1, this.height);
      g.fillStyle = this.soft;
      g.fillText(number(Math.round(c)), x + 3, RULER / 2);
    }
  }

  // Arrows, over all rows; a row that is not in view is beyond the edge.
  drawMarked(g) {
    g.save();
    g.beginPath();
    g.rect(LABELS, RULER, this.width - LABELS, this.height);
    g.clip();
    drawArrows(g, this, (track) => RULER + this.rowOf.get(track) * ROW + ROW / 2 - this.top);
    g.restore();
  }

  drawRow(g, row, y) {
    if (row.title) {
      g.fillStyle = this.line;
      g.fillRect(0, y, this.width, ROW);
    }
    g.save();
    g.beginPath();
    g.rect(LABELS, y, this.width - LABELS, ROW);
    g.clip();
    for (const track of row.tracks)
      if (track.kind === "counter") this.drawCounter(g, track, y); else this.drawSpans(g, track, y, row.tracks.length === 1);
    g.restore();
    g.fillStyle = row.title ? this.ink : this.soft;
    if (row.fold && (row.title || row.first || row.tracks.length > 1)) g.fillText(this.folded.has(row.fold) ? "▸" : "▾", row.title ? 6 : 12, y + ROW / 2);
    const [only] = row.tracks;
    g.fillText(only?.kind === "counter" && row.tracks.length === 1 ? `${row.name} ≤ ${number(only.high)}` : row.name, row.title ? 18 : 24, y + ROW / 2, LABELS - 28);
  }

  drawSpans(g, track, y, named) {
    let painted = -1;  // pixel columns to the left of it are taken
    for (let i = Math.max(0, above(track.begin, this.from) - 1); i < track.begin.length && track.begin[i] < this.to; ++i) {
      const x0 = this.x(track.begin[i]), x1 = this.x(track.begin[i] + track.length[i]);
      const marked = this.marked?.track === track && this.marked.index === i;
      if (x1 < painted && !marked) continue;
      const name = this.data.names[track.label[i]];
      g.fillStyle = color(track.kind, name);
      g.fillRect(x0, y + 2, Math.max(x1 - x0 - (x1 - x0 > 3 ? 1 : 0), 0.7), ROW - 4);
      painted = Math.max(x1, Math.ceil(x0));
      if (track.hit?.has(i) || marked) {
        g.strokeStyle = marked ? this.ink : "#e0218a";
        g.lineWidth = 2;
        g.strokeRect(x0, y + 2, Math.max(x1 - x0, 2), ROW - 4);
      }
      if (named && x1 - x0 > 34) {
        g.fillStyle = "#10151d";
        g.save();
        g.beginPath();
        g.rect(x0, y, x1 - x0 - 3, ROW);
        g.clip();
        g.fillText(name, Math.max(x0, LABELS) + 4, y + ROW / 2);
        g.restore();
      }
    }
  }

  drawCounter(g, track, y) {
    const high = track.high;
    g.fillStyle = WORK;
    for (let i = Math.max(0, above(track.begin, this.from) - 1); i < track.begin.length && track.begin[i] < this.to; ++i) {
      const x0 = this.x(track.begin[i]), x1 = this.x(track.begin[i + 1] ?? this.data.end);
      const h = (ROW - 3) * track.value[i] / high;
      g.fillRect(x0, y + ROW - 1 - h, Math.max(x1 - x0, 0.7), h);
    }
  }
}
