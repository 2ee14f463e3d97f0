// Asks this instance how it stands, each second while somebody looks, and says so when there is no answer.

import { Chart } from "./chart.js";
import * as show from "./show.js";
import { clock, count, rate, short, span } from "./words.js";

const ASK = 1000, PATIENCE = 4000, LATE = 3; // ms, ms, seconds
const RELOAD = 60_000, SEVERAL = 30_000; // ms: at most so often after an upgrade; so long it is said
const KEPT = 900; // samples of the curves
const $ = (id) => document.getElementById(id);

const charts = [
  new Chart($("freshness"), {
    series: [["p50", "p50", "main"], ["p99", "p99", "second"]], say: span, tick: span, log: [0.001, 1],
  }),
  new Chart($("rate"), {
    series: [["applied", "applied", "main"], ["superseded", "superseded", "second"], ["parked", "parked", "third"],
      ["rejected", "rejected", "bad"], ["ignored", "ignored", "fourth"]],
    say: rate, tick: short, least: 10,
  }),
  new Chart($("lag"), { series: [["lag", "records", "main"], ["oldest", "oldest", "none"]], say: (value, name) => (name === "oldest" ? span(value) : count(value)), tick: short, least: 10 }),
];

let curves = null, next = 0, started = null; // the last is when the process began whose curves they are
let code = null, changed = null; // its version; when an instance answered whose answers had ended
const before = new Set();
let answered = 0, timer = null, asking = null; // the page itself was the first answer

/** Add the new samples to those that are here; another process sends all that it has. */
function keep(answer) {
  const { started_at: its, version, revision } = answer.view.about;
  if (its !== started) {
    if (before.has(its)) changed = performance.now();
    before.add(its);
    curves = null;
    started = its;
  }
  code ??= `${version} ${revision}`;
  if (code !== `${version} ${revision}` && performance.now() > RELOAD) location.reload(); // its files are other ones
  curves ??= Object.fromEntries(Object.keys(answer.curves).map((name) => [name, []]));
  for (const [name, values] of Object.entries(answer.curves)) curves[name] = curves[name].concat(values).slice(-KEPT);
  next = answer.next;
}

function draw({ view }) {
  show.verdict(view.verdict);
  show.checks(view.checks);
  show.findings(view.findings);
  show.partitions(view.partitions, view.loop_age);
  show.waiting(view);
  show.members(view);
  show.about(view);
  for (const chart of charts) chart.show(curves, view.now, view.figures);
  const several = changed != null && performance.now() - changed < SEVERAL;
  show.text($("when"), `${several ? "several instances answer here by turns: open one alone · " : ""}as of ${clock(view.now)}`);
}

/** Since when there is no answer, beside the last one; what is old is grey. */
function age() {
  if (document.hidden) return;
  const seconds = Math.floor((performance.now() - answered) / 1000);
  const late = seconds >= LATE;
  document.body.classList.toggle("silent", late);
  if (late) {
    show.verdict({ level: "silent", word: "No answer", says: `for ${seconds < 100 ? `${seconds} s` : span(seconds)}: all below is old` });
  }
}

async function ask() {
  clearTimeout(timer);
  if (document.hidden || asking) return;
  asking = new AbortController();
  const limit = setTimeout(() => asking.abort(), PATIENCE);
  try {
    const url = `page/state.json?after=${next}${started == null ? "" : `&of=${started}`}`;
    const answer = await fetch(url, { signal: asking.signal });
    if (!answer.ok) throw new Error(answer.statusText);
    const told = await answer.json();
    keep(told);
    draw(told);
    answered = performance.now(); // what can't be drawn is no answer
    document.body.classList.remove("silent");
  } catch {
    // no answer: `age` says for how long
  } finally {
    clearTimeout(limit);
    asking = null;
    timer = setTimeout(ask, ASK);
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  answered = performance.now() - (LATE - 1) * 1000; // grey in a second, unless it answers
  ask();
});
setInterval(age, 500);
ask();
