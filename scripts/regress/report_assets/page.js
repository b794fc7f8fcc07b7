// SPDX-License-Identifier: Apache-2.0
// Puts the page together; addresses, keys, printing.
"use strict";

document.querySelector("main").append(overview(), failures(), knownIssues(), trust(), trendSection(), coverageSection(),
  testplan(), baselines(), tests(), slowest(), runsSection(), environment());
document.querySelector("nav").append(
  h("a", { class: "home", href: "#top" }, h("span", { class: `light ${evidence.exit_status === 0 ? "good" : "bad"}` }), "Dodeca"),
  h("div", { class: "links" }, sections.map(({ id, title, mark }) => h("a", { href: `#${id}` },
    title.replace(" against baselines", "").replace("Can this be trusted?", "Trust"),
    mark && mark.n !== "" ? h("b", { class: mark.bad ? "bad" : "" }, typeof mark.n === "number" ? count(mark.n) : mark.n) : null))));
showRuns();
drawTrend();

function unescape_(text) {
  try { return decodeURIComponent(text); } catch { return text; }  // a lone % is no crime
}

// An address may name a choice of runs, a run that is on no shown page, or something inside a closed element.
function go() {
  if (location.hash.startsWith("#runs?")) {
    const wanted = new URLSearchParams(location.hash.slice(6));
    for (const key of Object.keys(choice)) choice[key] = wanted.get(key) || "";
    choice.page = Number(choice.page) || 0;
    showRuns();
    document.getElementById("runs").scrollIntoView();
    return;
  }
  const name = unescape_(location.hash.slice(1));
  const run = name.startsWith("run-") && runOf[name.slice(4)];
  if (run) {
    Object.assign(choice, { q: "", state: "", test: "" });
    choice.page = Math.floor(chosen().indexOf(run) / PAGE);
    showRuns();
  }
  const target = document.getElementById(name);
  if (!target) return;
  for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
  if (run) toggle(target, run, true);
  document.querySelectorAll(".aimed").forEach((e) => e.classList.remove("aimed"));
  if (target.matches("tr, details")) target.classList.add("aimed");
  target.scrollIntoView({ block: run ? "center" : "start" });
}
addEventListener("hashchange", go);
if (location.hash) go();

// Which section is being read?
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries)
    document.querySelector(`nav a[href="#${target.id}"]`).classList.toggle("here", isIntersecting);
}, { rootMargin: "-20% 0px -70% 0px" });
for (const { id } of sections) watcher.observe(document.getElementById(id));

addEventListener("keydown", (event) => {
  if (event.target.matches("input, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    document.getElementById("runs").scrollIntoView();
    document.getElementById("filter").focus({ preventScroll: true });
  }
});

let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; drawTrend(); } });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawTrend);

// On paper nothing can be opened: all buckets are open, and closed again afterwards. Plots need ink for white.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details.bucket:not([open])")];
  opened.forEach((e) => { e.open = true; });
  document.documentElement.classList.add("paper");
  drawTrend();
});
addEventListener("afterprint", () => {
  opened.forEach((e) => { e.open = false; });
  document.documentElement.classList.remove("paper");
  drawTrend();
});
