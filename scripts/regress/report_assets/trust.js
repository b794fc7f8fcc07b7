// SPDX-License-Identifier: Apache-2.0
// Why green means green: canary, seed audit, checks. And what it all ran on.
"use strict";

function trust() {
  const audit = evidence.seed_audit, seeds = audit.rows.reduce((n, r) => n + r.seeds, 0);
  const stimuli = audit.rows.reduce((n, r) => n + r.stimuli, 0);
  const wrong = audit.rows.filter((r) => !r.met);
  const bird = evidence.runs.find((r) => r.kind === "canary");
  const passed = evidence.runs.filter((r) => r.state === "passed");
  const least = passed.reduce((n, r) => Math.min(n, r.checks), Infinity);
  const ok = evidence.canary.caught && audit.met;
  const verdict = (good, yes, no) => badge(good ? "passed" : "failed", good ? yes : no);
  return section("trust", "Can this be trusted?", { n: ok ? "✓" : "✗", bad: !ok }, null,
    table(["check", "", "found"], [
      ["canary", verdict(evidence.canary.caught, "caught", "not caught"),
        [figure("canary", evidence.canary.caught, evidence.canary.caught ? "An injected fault was noticed: " : ""),
          evidence.canary.why, bird ? command(bird.repro) : null]],
      ["seed audit", verdict(audit.met, "distinct", "repeated"),
        [figure("audit.seeds", seeds), " seeds gave ", figure("audit.stimuli", stimuli), " different stimuli in ",
          plural(audit.rows.length, "test"), wrong.map((r) => h("p", { class: "bad" },
            `${r.test}: only ${r.stimuli} of ${r.seeds}`))]],
      ["checks", verdict(passed.every((r) => r.checks > 0), "made", "missing"),
        passed.length ? ["A run passes only with exit status 0, the word passed, and checks: the least of any was ",
          figure("checks.least", least), "."] : "no run passed"]], { class: "trust" }));
}

function environment() {
  const e = evidence, rows = Object.entries(e.tools).map(([name, version]) => [name, h("code", null, version)]);
  for (const [path, hash] of Object.entries(e.programs || {})) rows.push([path, h("code", null, String(hash))]);
  return section("environment", "Tools and revision", null, null, table(["what", "version"], [
    ["revision", h("code", null, e.revision.commit)], ["subject", e.revision.subject],
    ["uncommitted changes", e.revision.dirty ? h("code", null, e.revision.dirty) : "none"],
    ["files of this regression", h("code", null, `${e.folder}/`)], ...rows,
    ["plots of this page", h("code", null, `uPlot ${uPlotVersion()}`)]], { class: "small" }));
}
const uPlotVersion = () => [...document.scripts].map((s) => (s.textContent.match(/uPlot \(v([\d.]+)\)/) || [])[1]).find(Boolean) || "";
