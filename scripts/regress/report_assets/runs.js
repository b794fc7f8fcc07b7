// SPDX-License-Identifier: Apache-2.0
// All runs: search, filter by state, sort, pages of a hundred. The address holds the choice, so it can be sent:
// #runs?state=failed&q=ring and #run-ring.17
"use strict";

const PAGE = 100;
const COLUMNS = [["state", (r) => r.state], ["run", (r) => r.id], ["message", (r) => r.message], ["owner", (r) => r.owner],
  ["#checks", (r) => r.checks], ["#cycles", (r) => r.cycles || 0], ["#s", (r) => r.times.wall_s], ["", null]];
const choice = { q: "", state: "", test: "", sort: "", page: 0 };
const runsLink = (wanted) => "#runs?" + new URLSearchParams(wanted);
const firstLine = (run) => run.message.split("\n", 1)[0];

// What a search looks at, once per run.
const haystack = evidence.runs.map((r) =>
  [r.id, r.state, r.owner, r.kind, r.issue || "", r.message, r.repro].join("\n").toLowerCase());

function chosen() {
  const words = choice.q.toLowerCase().split(/\s+/).filter(Boolean);
  const found = evidence.runs.filter((r, i) => (!choice.state || r.state === choice.state) &&
    (!choice.test || (r.test === choice.test && r.kind === "test")) && words.every((word) => haystack[i].includes(word)));
  const [name, down] = [choice.sort.replace("-", ""), choice.sort.startsWith("-")];
  const column = name && COLUMNS.find(([title]) => title.replace("#", "") === name);
  if (column) found.sort((a, b) => (down ? -1 : 1) * by(column[1])(a, b));
  else found.sort((a, b) => rank(a) - rank(b));  // what went wrong first
  return found;
}
const rank = (run) => (BAD.includes(run.state) ? 0 : run.state === "not run" ? 1 : run.state === "expected failure" ? 2 : 3);

const fileOf = (run, name) => h("a", { href: ["runs", run.id, ...name.split("/")].map(encodeURIComponent).join("/") },
  `runs/${run.id}/${name}`);
// Timeline, divergence, views of the waves: what the run has.
// What opens these views. A page that was opened as a file knows the folder of its regression.
const FOLDER = location.protocol === "file:" ? decodeURIComponent(location.pathname).replace(/[^/]*$/, "") : "";
const wavesOf = (run) => ((run.files || []).some((name) => name.endsWith(".gtkw")) ?
  command(`scripts/dodeca waves '${FOLDER}runs/${run.id}'`) : null);
const lookInto = (run) => run.files.map((name) => [fileOf(run, name), " "]);

function details(run) {
  const facts = [["kind", run.kind], ["seed", run.seed], ["stimulus", run.stimulus], ["commit hash", run.commit_hash],
    ["link hash", run.link_hash], ["started", run.times.started ? day(run.times.started) : null],
    ["memory", run.times.rss_mib ? `${run.times.rss_mib} MiB` : null],
    ["speed", run.times.cycles_per_s ? `${count(Math.round(run.times.cycles_per_s))} cycles/s` : null]];
  return h("tr", { class: "details" }, h("td", { colspan: COLUMNS.length }, run.message ? h("pre", null, run.message) : null,
    command(run.repro), wavesOf(run), h("dl", { class: "facts" }, facts.filter(([, v]) => v !== null && v !== undefined).map(([name, value]) =>
      [h("dt", null, name), h("dd", null, h("code", null, String(value)))]),
    run.issue ? [h("dt", null, "known issue"), h("dd", null, h("a", { href: `#issue-${run.issue}` }, run.issue))] : null,
    h("dt", null, "files"), h("dd", null, fileOf(run, "log"), " ", fileOf(run, "stdout")),
    run.files ? [h("dt", null, "look into"), h("dd", null, lookInto(run))] : null)));
}

function runRow(run) {
  const row = h("tr", { id: `run-${run.id}`, "data-run": run.id }, h("td", null, badge(run.state)),
    h("td", null, h("button", { type: "button", class: "open", "aria-expanded": "false", onclick: () => toggle(row, run) }, run.id)),
    h("td", { class: "first" }, firstLine(run)), h("td", null, run.owner), h("td", { class: "num" }, count(run.checks)),
    h("td", { class: "num" }, count(run.cycles)), h("td", { class: "num" }, run.times.wall_s.toFixed(1)),
    h("td", null, copyButton(run.repro, "copy repro")));
  return row;
}

function toggle(row, run, open) {
  const is = row.nextElementSibling && row.nextElementSibling.className === "details";
  if (is && open !== true) row.nextElementSibling.remove();
  else if (!is) row.after(details(run));
  row.querySelector(".open").setAttribute("aria-expanded", String(!is || open === true));
}

function showRuns() {
  const found = chosen(), pages = Math.max(1, Math.ceil(found.length / PAGE));
  choice.page = Math.min(choice.page, pages - 1);
  const begin = choice.page * PAGE;
  document.querySelector("#all tbody").replaceChildren(...found.slice(begin, begin + PAGE).map(runRow));
  document.getElementById("found").textContent = found.length === 0 ? "no run matches" : found.length <= PAGE ?
    plural(found.length, "run") : `${begin + 1} – ${Math.min(begin + PAGE, found.length)} of ${plural(found.length, "run")}`;
  document.querySelectorAll(".pager").forEach((pager) => { pager.hidden = pages === 1; });
  document.querySelectorAll(".pager [data-step]").forEach((button) => {
    button.disabled = choice.page + Number(button.dataset.step) < 0 || choice.page + Number(button.dataset.step) >= pages;
  });
  document.querySelectorAll("#runs [data-state]").forEach((chip) =>
    chip.setAttribute("aria-pressed", String(chip.dataset.state === choice.state)));
  document.querySelectorAll("#all th[data-sort]").forEach((th) => th.setAttribute("aria-sort",
    choice.sort === th.dataset.sort ? "ascending" : choice.sort === "-" + th.dataset.sort ? "descending" : "none"));
  document.getElementById("filter").value = choice.q;
  const test = document.getElementById("only-test");
  test.hidden = !choice.test;
  test.textContent = `test ${choice.test} ✕`;
}

// change: what is different from now on; it goes into the address, so that back and a copied link work.
function choose(change, page = 0) {
  Object.assign(choice, change, { page });
  const set = Object.fromEntries(Object.entries(choice).filter(([, v]) => v));
  history.replaceState(null, "", Object.keys(set).length ? runsLink(set) : "#runs");
  showRuns();
}

function runsSection() {
  const states = Object.entries(evidence.counts).filter(([, n]) => n);
  const chip = (state, n) => h("button", { type: "button", class: `chip ${state ? kind(state) : ""}`, "data-state": state,
    "aria-pressed": "false", onclick: () => choose({ state }) }, `${state || "all"} `, h("b", null, count(n)));
  const step = (n, label) => h("button", { type: "button", "data-step": n, onclick: () => choose({}, choice.page + n) }, label);
  const sort = (title) => { const name = title.replace("#", ""); choose({ sort: choice.sort === name ? "-" + name : name }); };
  const body = section("runs", "All runs", { n: evidence.runs.length }, null,
    h("div", { class: "tools" },
      h("input", { id: "filter", type: "search", "aria-label": "search the runs", autocomplete: "off",
        placeholder: "search: name, seed, message, owner  ( / )", oninput: (event) => choose({ q: event.target.value }) }),
      h("div", { class: "chips", role: "group", "aria-label": "state" }, chip("", evidence.runs.length), states.map(([s, n]) => chip(s, n))),
      h("button", { type: "button", id: "only-test", class: "chip", hidden: true, onclick: () => choose({ test: "" }) }),
      h("span", { id: "found", class: "soft", role: "status" })),
    h("div", { class: "scroll" }, h("table", { id: "all" }, h("thead", null, h("tr", null, COLUMNS.map(([title, key]) =>
      h("th", { scope: "col", class: title.startsWith("#") ? "num" : null, "data-sort": key ? title.replace("#", "") : null },
        key ? h("button", { type: "button", onclick: () => sort(title) }, title.replace("#", "")) : "")))), h("tbody", null))),
    h("div", { class: "pager" }, step(-1, "← previous"), step(1, "next →")));
  return body;
}
