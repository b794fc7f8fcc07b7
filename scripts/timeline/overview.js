// SPDX-License-Identifier: Apache-2.0
// The strip above the timeline: how many arrays multiply over the whole run, HBM bytes, and what is in view.
"use strict";

class Overview {
  constructor(canvas, view, data) {
    Object.assign(this, { canvas, view, data });
    const steps = this.steps = 1000, per = data.end / steps;
    this.busy = new Float64Array(steps);
    this.bytes = new Float64Array(steps);
    const add = (sums, from, to, weight) => {
      for (let s = Math.floor(from / per); s < steps && s * per < to; ++s)
        sums[s] += weight * (Math.min(to, (s + 1) * per) - Math.max(from, s * per)) / per;
    };
    let arrays = 0;
    for (const track of data.tracks) {
      if (/Tensor multiply$/.test(track.name)) {
        ++arrays;
        track.begin.forEach((begin, i) => add(this.busy, begin, begin + track.length[i], 1));
      } else if (track.kind === "counter" && track.name.startsWith("HBM")) {
        track.begin.forEach((begin, i) => add(this.bytes, begin, track.begin[i + 1] ?? data.end, track.value[i]));
      }
    }
    this.arrays = Math.max(arrays, 1);
    this.most = this.bytes.reduce((a, b) => Math.max(a, b), 1);
    const go = (event) => {
      if (!(event.buttons & 1)) return;
      const middle = Math.max(0, event.offsetX - LABELS) / (this.canvas.clientWidth - LABELS) * data.end, half = (view.to - view.from) / 2;
      view.from = middle - half;
      view.to = middle + half;
      view.draw();
    };
    canvas.onmousedown = canvas.onmousemove = go;
  }

  draw() {
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight, scale = window.devicePixelRatio || 1;
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    const g = this.canvas.getContext("2d"), w = (width - LABELS) / this.steps;
    g.scale(scale, scale);
    g.font = FONT;
    g.textBaseline = "middle";
    g.fillStyle = WORK;
    g.fillText(`arrays busy, of ${this.arrays}`, 8, height * 0.3);
    g.fillStyle = BYTES;
    g.fillText(`HBM, to ${number(Math.round(this.most))} B/cycle`, 8, height * 0.72);
    g.fillStyle = WORK;
    g.globalAlpha = 0.75;
    this.busy.forEach((sum, s) => { const h = (height - 4) * Math.min(1, sum / this.arrays); g.fillRect(LABELS + s * w, height - h, Math.ceil(w), h); });
    g.globalAlpha = 1;
    g.strokeStyle = BYTES;
    g.lineWidth = 1.2;
    g.beginPath();
    this.bytes.forEach((sum, s) => g.lineTo(LABELS + (s + 0.5) * w, height - 1 - (height - 6) * sum / this.most));
    g.stroke();
    const at = (cycle) => LABELS + Math.min(Math.max(cycle / this.data.end, 0), 1) * (width - LABELS);
    const from = at(this.view.from), to = Math.max(at(this.view.to), from + 2);
    g.fillStyle = this.view.shade;
    g.fillRect(LABELS, 0, from - LABELS, height);
    g.fillRect(to, 0, width - to, height);
    g.strokeStyle = this.view.ink;
    g.strokeRect(from + 0.5, 0.5, to - from - 1, height - 1);
  }
}
