// SPDX-License-Identifier: Apache-2.0
// Buckets of similar failures: where each first diverged, since when, whose it is, how to repeat it.
"use strict";

const runOf = Object.fromEntries(evidence.runs.map((run) => [run.id, run]));
const sinceOf = (bucket) => (evidence.history ? evidence.history.failures[bucket.id] : null);
const isNew = (bucket) => {
  const s = sinceOf(bucket);
  return Boolean(s && s.first_seen && s.first_seen.started === evidence.times.started);
};
const isGrave = (bucket) => BAD.includes(bucket.state);

function place(d) {
  if (!d) return null;
  return [`chip ${d.chip}`, d.core === null ? null : `core ${d.core}`, d.engine, `cycle ${count(d.cycle)}`,
    d.pc === null ? null : `pc ${d.pc} ${d.instruction}`].filter(Boolean);
}

const regressionName = (row) => `${day(row.started)} at ${tree(row)}`;
const regressionLink = (row) => h("a", { href: `../${encodeURIComponent(row.folder)}/report.html` }, regressionName(row));

function since(bucket) {
  const s = sinceOf(bucket);
  if (!s || !s.first_seen) return [h("dt", null, "since"), h("dd", null, "no history is kept")];
  const rows = [h("dt", null, "since"), h("dd", null, s.since.started === evidence.times.started ?
    [h("b", { "data-figure": `since.${bucket.id}`, "data-value": JSON.stringify(s.since.folder) }, "this regression"),
      isNew(bucket) ? ", never seen before" : ["; first seen ", regressionLink(s.first_seen)]] :
    [h("b", { "data-figure": `since.${bucket.id}`, "data-value": JSON.stringify(s.since.folder) }, regressionLink(s.since)),
      s.first_seen.started === s.since.started ? "" : ["; first seen ", regressionLink(s.first_seen)]],
  s.ran > 1 ? `; seen in ${s.seen} of the ${s.ran} regressions that ran it since then` : "")];
  rows.push(h("dt", null, "last good"), h("dd", { "data-figure": `last_good.${bucket.id}`,
    "data-value": JSON.stringify(s.last_good && s.last_good.folder) }, s.last_good ? regressionLink(s.last_good) :
    "never: no earlier regression passed these tests"));
  if (s.last_good && s.last_good.revision !== s.since.revision)
    rows.push(h("dt", null, "changes"), h("dd", null,
      command(`git log --oneline ${s.last_good.revision.slice(0, 12)}..${s.since.revision.slice(0, 12)}`)));
  else if (s.last_good)
    rows.push(h("dt", null, "changes"), h("dd", null, s.last_good.dirty !== s.since.dirty ?
      "the same commit, other uncommitted changes" : "none: the same revision passed, with other seeds or other options"));
  return rows;
}

// Twelve cells: which chips diverged first, over the runs of the bucket.
function board(chips) {
  const numbers = Object.keys(chips).map(Number);
  if (!numbers.length) return null;
  const most = Math.max(...Object.values(chips));
  return h("div", { class: "board", role: "img", "aria-label": "first diverging chip: " +
    numbers.map((n) => `chip ${n} in ${plural(chips[n], "run")}`).join(", ") },
  Array.from({ length: Math.max(12, ...numbers.map((n) => n + 1)) }, (_, chip) =>
    h("span", { class: chips[chip] ? "hit" : "", title: `chip ${chip}: first in ${plural(chips[chip] || 0, "run")}`,
      style: chips[chip] ? { opacity: 0.45 + 0.55 * chips[chip] / most } : {} }, chip)));
}

function member(run, bucket) {
  return h("li", { "data-run": run.id }, h("a", { href: `#run-${run.id}` }, run.id),
    run.id === bucket.first ? h("span", { class: "soft" }, " shown above") : "", command(run.repro));
}

function bucketCard(bucket, open) {
  const first = runOf[bucket.first], where = place(bucket.divergence);
  const issues = (bucket.issues || []).map((id) => h("a", { href: `#issue-${id}` }, id));
  return h("details", { class: `bucket ${kind(bucket.state)}`, id: `bucket-${bucket.id}`, open },
    h("summary", null,
      h("span", { class: "times" }, figure(`bucket.${bucket.id}`, bucket.count), " ×"), badge(bucket.state),
      isNew(bucket) ? h("span", { class: "badge new" }, "new") : null,
      h("span", { class: "signature" }, bucket.signature),
      where ? h("span", { class: "soft where" }, where.slice(0, 3).join(" · ")) : null),
    h("div", { class: "body" },
      h("h3", null, first.message.startsWith("earliest cause: ") ? "Earliest cause" : where ? "First divergence" : "First words",
        h("span", { class: "soft" }, " in "),
        h("a", { href: `#run-${first.id}` }, first.id)),
      where ? h("p", { class: "place" }, where.map((part) => h("span", null, part))) : null,
      h("pre", null, first.message || "no message"),
      h("div", { class: "repro" }, command(first.repro), wavesOf(first)),
      h("dl", { class: "facts" },
        h("dt", null, "tests"), h("dd", null, bucket.tests.map((t, i) => [i ? ", " : "", h("a", { href: `#test-${t}` }, t)])),
        h("dt", null, "owner"), h("dd", null, [...new Set(bucket.runs.map((id) => runOf[id].owner))].join(", ")),
        first.files ? [h("dt", null, "look into"), h("dd", null, lookInto(first))] : null,
        issues.length ? [h("dt", null, "known issue"), h("dd", null, issues)] : null,
        Object.keys(bucket.chips || {}).length ? [h("dt", null, "chips"), h("dd", null, board(bucket.chips))] : null,
        since(bucket)),
      bucket.count > 1 ? h("details", { class: "members" }, h("summary", null, `all ${bucket.count} runs`),
        h("ol", null, bucket.runs.map((id) => member(runOf[id], bucket)))) : null));
}

function failures() {
  const grave = evidence.buckets.filter(isGrave), mild = evidence.buckets.filter((b) => !isGrave(b));
  const runs = grave.reduce((sum, b) => sum + b.count, 0);
  return section("failures", "Failures", { n: runs, bad: runs > 0 },
    grave.length ? ["Similar failures are one bucket: the block of their earliest cause, or their first words and " +
      "instruction, without numbers. Of each the run that diverged earliest is shown. All of them again: ",
      copyButtonText("scripts/dodeca regress rerun --failed --waves")] : null,
    grave.length ? grave.map((b, i) => bucketCard(b, i < 3)) : fine("No run failed."),
    mild.length ? [h("h3", { class: "sub" }, "Known, do not count"), mild.map((b) => bucketCard(b, false))] : null);
}
const copyButtonText = (line) => h("span", { class: "inline" }, h("code", null, line), copyButton(line));

function knownIssues() {
  const rows = evidence.known_issues, expired = rows.filter((i) => i.expired).length;
  const today = evidence.times.finished, days = (i) => Math.ceil((Date.parse(i.expires) / 1000 + 86400 - today) / 86400);
  return section("known", "Known issues", expired ? { n: `${expired} expired`, bad: true } : { n: rows.length },
    rows.length ? "From regress/known_issues.toml. A known failure does not count until its day; then it does." : null,
    rows.length ? table(["issue", "owner", "expires", "", "what is known", "#runs here"], rows.map((i) =>
      h("tr", { id: `issue-${i.id}` }, h("td", null, h("b", null, i.id)), h("td", null, i.owner),
        h("td", { class: "nowrap" }, i.expires),
        h("td", null, i.expired ? badge("expired") : h("span", { class: "soft nowrap" }, `${plural(days(i), "day")} left`)),
        h("td", null, i.doc),
        h("td", { class: "num" }, i.runs ? h("a", { href: runsLink({ q: i.id }) }, figure(`issue.${i.id}`, i.runs)) :
          [figure(`issue.${i.id}`, 0, "0"), h("span", { class: "soft" }, " not seen")])))) : fine("None."));
}
