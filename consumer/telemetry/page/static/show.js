// Puts the parts of an answer into the page. Nodes are kept and only their text changes: focus and selection stay.

import { ago, clock, count, span } from "./words.js";

const $ = (id) => document.getElementById(id);

export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** As many children of `parent` as items, each made once by `make` and then told its item by `fill`. */
function list(parent, items, make, fill) {
  while (parent.children.length > items.length) parent.lastChild.remove();
  items.forEach((item, i) => fill(parent.children[i] ?? parent.appendChild(make()), item));
}

function element(name, className = "", ...children) {
  const node = Object.assign(document.createElement(name), { className });
  node.append(...children);
  return node;
}

const row = (...classes) => () => {
  const [first, ...others] = classes;
  const head = element("th", first);
  head.scope = "row";
  return element("tr", "", head, ...others.map((name) => element("td", name)));
};

function cells(tr, ...values) {
  values.forEach((value, i) => text(tr.children[i], value));
}

function empty(id, says) {
  $(id).hidden = !says;
  text($(id), says || "");
}

export function verdict({ level, word, says }) {
  document.body.dataset.level = level;
  document.title = `${word} · Neon Projector`;
  text($("word"), `${word}:`);
  text($("says"), says);
  $("verdict").classList.toggle("long", says.length > 50);
  if ($("told").dataset.level !== level) {
    $("told").dataset.level = level;
    text($("told"), `${word}: ${says}`); // read aloud when it changes, not each second
  }
}

export function checks(found) {
  const names = { true: "passes", false: "fails" };
  list($("checks"), Object.entries(found), () => element("li"), (li, [name, ok]) => {
    li.dataset.ok = ok;
    text(li, name);
    li.setAttribute("aria-label", `${name} ${names[ok]}`);
  });
}

export function findings(found) {
  $("findings-box").hidden = !found.length;
  list($("findings"), found, finding, (li, one) => {
    const [says, does] = li.children;
    const [command, , runbook] = does.children;
    li.dataset.level = one.level;
    const named = /^\S*[:-]/.test(one.says); // users:3 keeps its small letter
    text(says, `${named ? one.says[0] : one.says[0].toUpperCase()}${one.says.slice(1)}.`);
    text(command, one.command);
    runbook.setAttribute("href", `page/runbook.html#${one.runbook}`);
    runbook.setAttribute("aria-label", `Runbook: ${one.says}`);
  });
}

function finding() {
  const copy = element("button", "copy", "Copy");
  copy.type = "button";
  const does = element("p", "does", element("code"), copy, element("a", "", "Runbook"));
  copy.addEventListener("click", () => copied(copy, does.firstChild));
  return element("li", "", element("p", "says"), does);
}

/** One click puts the command into the clipboard; where the page may not, it marks the command. */
async function copied(button, code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  $("told").textContent = `copied: ${code.textContent}`;
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

function topic() {
  const head = element("tr");
  for (const name of ["", "Position", "Lag", "Age", "Read by"]) head.append(Object.assign(element("th", "", name), { scope: "col" }));
  head.firstChild.append(element("span", "hidden", "Partition"));
  return element("table", "", element("caption"), element("thead", "", head), element("tbody"));
}

const state = (one) => {
  if (one.stopped) return "stopped";
  if (one.lag > 0 && one.age > 2) return "behind";
  return one.by === "here" ? "ok" : "other";
};
const known = (value, say) => (value == null ? "–" : say(value));

export function partitions(found, loopAge) {
  const topics = new Map();
  for (const one of found) topics.set(one.topic, [...(topics.get(one.topic) ?? []), one]);
  list($("topics"), [...topics], topic, (table, [name, own]) => {
    text(table.caption, name);
    list(table.tBodies[0], own, row("", "n", "n", "n", "by"), (tr, one) => {
      const by = one.stopped ? one.stopped.replaceAll("_", " ") : one.by ?? "–";
      cells(tr, `${one.partition}`, known(one.position, count), known(one.lag, count), known(one.age, span), by);
      tr.dataset.state = state(one);
    });
  });
  $("topics").parentNode.hidden = !found.length;
  empty("partitions-empty", found.length ? "" : "None yet: this instance joins the group, or others read all of them.");
  const here = found.filter((one) => one.by === "here").length;
  const others = found.length - here ? `, ${found.length - here} elsewhere` : "";
  text($("partitions-of"), found.length ? `${here} read here${others}, ${loopAge < 3 ? "now" : `of ${ago(loopAge)}`}` : "");
}

export function waiting(view) {
  const of = view.counted_at == null ? "not counted yet" : `counted ${ago(view.now - view.counted_at)}`;
  document.querySelectorAll("[data-counted]").forEach((node) => text(node, of));
  const since = view.now - (view.counted_at ?? view.now);
  list($("waiting"), view.waiting, row("", "n", "n"), (tr, one) =>
    cells(tr, `for ${one.for}`, count(one.number), `${span(one.age + since)}`));
  empty("waiting-empty", view.waiting.length ? "" : view.counted_at == null ? "" : "Nothing waits.");
  list($("letters"), Object.entries(view.letters), row("", "n"), (tr, [reason, number]) =>
    cells(tr, reason.replaceAll("_", " "), count(number)));
  empty("letters-empty", Object.keys(view.letters).length ? "" : view.counted_at == null ? "" : "None.");
}

export function members(view) {
  text($("members-of"), view.members_at == null ? "not told yet" : `Kafka’s word of ${ago(view.now - view.members_at)}`);
  list($("members"), view.members, row("", "n"), (tr, one) => {
    cells(tr, one.this ? "this instance" : one.host, `${one.partitions} partition${one.partitions === 1 ? "" : "s"}`);
    tr.title = one.name;
  });
  empty("members-empty", view.members.length ? "" : "No member is known.");
}

export function about(view) {
  const { version, revision, group, settings, started_at } = view.about;
  text($("group"), group);
  const told = [
    ["version", version], ["revision", revision.slice(0, 12)], ["up since", `${clock(started_at)}, for ${span(view.now - started_at)}`],
    ...Object.entries(settings),
  ];
  list($("about"), told, () => element("div", "", element("dt"), element("dd")), (div, [name, value]) =>
    cells(div, name, value));
}
