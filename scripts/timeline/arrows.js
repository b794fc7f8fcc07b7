// SPDX-License-Identifier: Apache-2.0
// What let what go: an arrow leads from the author of an update over its packets to the wait that it
// ended and the instruction behind. Those of one span are drawn: thousands at once say nothing.
"use strict";

// data.arrows: track, index, track, index, ..; afterwards [{track, index}], and by span.
function linkArrows(data) {
  data.arrows = (data.arrows ?? []).map((flat) => {
    const steps = [];
    for (let i = 0; i < flat.length; i += 2) steps.push({ track: data.tracks[flat[i]], index: flat[i + 1] });
    for (const { track, index } of steps) {
      track.arrows ??= new Map();
      if (!track.arrows.has(index)) track.arrows.set(index, []);
      track.arrows.get(index).push(steps);
    }
    return steps;
  });
}

const arrowsOf = (span) => span?.track.arrows?.get(span.index) ?? [];
const endOf = ({ track, index }) => track.begin[index] + track.length[index];
// An update meets a wait where it ends, anything else where it begins.
const reached = (step) => step.track.kind === "wait" ? endOf(step) : step.track.begin[step.index];

function drawArrows(g, view, y) {
  g.strokeStyle = g.fillStyle = ARROW;
  g.lineWidth = 1.6;
  for (const steps of arrowsOf(view.marked)) {
    const seen = steps.filter((step) => view.rowOf.has(step.track));
    for (let i = 0; i + 1 < seen.length; ++i) {
      const at = reached(seen[i + 1]), left = Math.min(Math.max(at, reached(seen[i])), endOf(seen[i]));
      const x0 = view.x(left), y0 = y(seen[i].track), x1 = view.x(at), y1 = y(seen[i + 1].track);
      if (Math.max(x0, x1) < LABELS) continue;
      const bend = Math.max(14, (x1 - x0) / 2);
      g.beginPath();
      g.moveTo(x0, y0);
      g.bezierCurveTo(x0 + bend, y0, x1 - bend, y1, x1 - 5, y1);
      g.stroke();
      g.beginPath();
      g.moveTo(x1, y1);
      g.lineTo(x1 - 7, y1 - 4);
      g.lineTo(x1 - 7, y1 + 4);
      g.fill();
    }
  }
}
