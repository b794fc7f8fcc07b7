// SPDX-License-Identifier: Apache-2.0
// The first screen: the verdict, what it is about, counts, and what is wrong.
"use strict";

const counted = (states) => states.reduce((sum, state) => sum + (evidence.counts[state] || 0), 0);

function verdict() {
  const bad = counted(BAD), total = evidence.runs.length;
  const buckets = evidence.buckets.filter((b) => BAD.includes(b.state));
  const fresh = buckets.filter((b) => isNew(b)).length;
  if (evidence.exit_status === 0)
    return `All ${total - counted(["expected failure"])} runs that must pass have passed, and the canary was caught.`;
  if (!bad) return evidence.problems[0] || "";
  return `${bad} of ${plural(total, "run")} went wrong in ${plural(buckets.length, "way")}, ` +
    `${fresh === buckets.length ? (fresh === 1 ? "a new one" : "all new") : fresh ? `${fresh} of them new` : "none of them new"}.`;
}

// A part must not be taken for the whole suite.
function leftOut() {
  const part = evidence.changed;
  if (!part) return null;
  const touching = part.files.filter((f) => f.runs);
  return h("details", { class: "verdict" },
    h("summary", null, h("b", { class: "warn" }, part.runs < part.of ? "Not the whole suite: " : ""),
      figure("changed.runs", part.runs), " of ", figure("changed.of", part.of), " runs can be touched by ",
      h("code", null, touching[0].file), touching.length > 1 ? ` and ${touching.length - 1} more` : "", ` (since ${part.since}).`),
    h("ul", null, part.files.map((f) => h("li", null, h("code", null, f.file), ` ${plural(f.runs, "run")}`))));
}

function stateBar() {
  const shown = Object.entries(evidence.counts).filter(([, n]) => n);
  return h("div", { class: "states", role: "img", "aria-label": shown.map(([s, n]) => `${n} ${s}`).join(", ") },
    shown.map(([state, n]) => h("a", { href: runsLink({ state }), class: kind(state), title: `${n} ${state}`, tabindex: "-1",
      style: { flexGrow: n } })));
}

function tiles() {
  const tile = (name, value, shown, href, css) => h(href ? "a" : "div", { class: `tile ${css || ""}`, href },
    h("b", null, figure(name, value, shown)), h("span", null, name.replace("counts.", "")));
  const checks = evidence.runs.reduce((sum, r) => sum + r.checks, 0);
  return h("div", { class: "tiles" },
    tile("runs", evidence.runs.length, undefined, "#runs"),
    Object.entries(evidence.counts).filter(([state, n]) => n || state === "passed" || state === "failed").map(
      ([state, n]) => tile(`counts.${state}`, n, undefined, n ? runsLink({ state }) : null, n ? kind(state) : "none")),
    tile("checks", checks), tile("duration", evidence.times.wall_s, clock(evidence.times.wall_s)));
}

function facts() {
  const e = evidence, row = (name, ...value) => [h("dt", null, name), h("dd", null, value)];
  return h("dl", { class: "facts" },
    row("started", day(e.times.started)),
    row("revision", h("code", null, e.revision.commit.slice(0, 12)), e.revision.dirty ?
      h("b", { class: "warn" }, ` + uncommitted changes ${e.revision.dirty}`) : "", ` ${e.revision.subject}`),
    row("seed", figure("seed", e.seed, String(e.seed))),
    row("ran on", `${e.launcher}, ${plural(e.jobs, "run")} at once`),
    row("exit status", figure("exit_status", e.exit_status)));
}

function overview() {
  const good = evidence.exit_status === 0;
  return h("header", { id: "top", class: good ? "good" : "bad" },
    h("h1", null, h("span", { "aria-hidden": "true" }, good ? "✓ " : "✗ "), evidence.suite, " ",
      figure("status", evidence.status, evidence.status)),
    h("p", { class: "verdict" }, verdict()), leftOut(),
    facts(), command(evidence.command),
    stateBar(), tiles(),
    evidence.problems.length ? h("ul", { class: "problems", "data-count": evidence.problems.length },
      evidence.problems.map((p) => h("li", null, p))) : null);
}
