// SPDX-License-Identifier: Apache-2.0
// What could be wrong, which tests would notice, what they said: by stage, then by block.
"use strict";

function planMatrix(points, stages, blocks) {
  const cell = (block, stage) => {
    const mine = points.filter((p) => p.block === block && (!stage || p.stage === stage));
    const good = mine.filter((p) => p.status === "passed").length, bad = mine.some((p) => p.status === "failed");
    return mine.length ? h("div", { class: "cover" }, bar(good / mine.length, bad ? "bad" : good === mine.length ? "good" : "known"),
      h("b", null, stage ? figure(`plan.${block}.${stage}`, good) : String(good), h("span", { class: "soft" }, ` of ${mine.length}`))) : "";
  };
  return table(["block", ...stages, "all"], blocks.map((block) =>
    [block, ...stages.map((stage) => cell(block, stage)), cell(block, null)]), { class: "covers" });
}

function planRow(p) {
  const hits = p.coverage_hit;
  return h("tr", { id: `point-${p.block}.${p.name}` },
    h("td", null, p.block), h("td", null, h("b", null, p.name.replaceAll("_", " ")), h("div", { class: "soft" }, p.intention)),
    h("td", null, p.tests.map((t) => h("div", { class: "nowrap" }, testMark(t)))),
    h("td", null, badge(p.status)),
    h("td", { class: "num" }, p.runs ? [figure(`point.${p.block}.${p.name}`, p.good), ` / ${p.runs}`] : "–"),
    h("td", { class: "num" }, !p.coverage.length ? "" : hits && hits[1] ? h("span", { title: p.coverage.join(", ") },
      `${hits[0]} / ${hits[1]}`) : h("span", { class: "soft", title: p.coverage.join(", ") }, "no data")));
}

// A test's name with its own verdict: which of three tests made the point fail?
function testMark(name) {
  const runs = evidence.runs.filter((r) => r.test === name && r.kind !== "canary" && r.state !== "not run");
  const bad = runs.filter((r) => BAD.includes(r.state)).length;
  return [h("span", { class: `mark ${bad ? "bad" : runs.length ? "good" : "none"}` }, bad ? "✗" : runs.length ? "✓" : "–"), " ",
    runs.length ? h("a", { href: `#test-${name}` }, name) : h("span", { class: "soft" }, name)];
}

function testplan() {
  const points = evidence.testplan, stages = [...new Set(points.map((p) => p.stage))].sort();
  const blocks = [...new Set(points.map((p) => p.block))].sort(), good = points.filter((p) => p.status === "passed").length;
  const failed = points.filter((p) => p.status === "failed").length;
  return section("testplan", "Testplan", { n: `${good}/${points.length}`, bad: failed > 0 },
    `${good} of ${plural(points.length, "point")} have all their tests run and passed; ${failed} failed.`,
    planMatrix(points, stages, blocks),
    stages.map((stage) => [h("h3", { class: "sub", id: `stage-${stage}` }, `Stage ${stage}`),
      table(["block", "what could be wrong", "tests", "", "#runs", "#bins hit"],
        points.filter((p) => p.stage === stage).sort(by((p) => p.block)).map(planRow), { class: "plan" })]));
}
