// A curve over 15 minutes, as SVG: colours are the style sheet's, so they follow light and dark by themselves.

import { ago, clock } from "./words.js";

const NS = "http://www.w3.org/2000/svg";
const WINDOW = 900;
const GAP = 5; // seconds without a sample: the line is broken
const HEIGHT = 150, LEFT = 46, RIGHT = 10, TOP = 10, BOTTOM = 22;

function make(parent, name, attributes = {}) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return parent.appendChild(node);
}

/** The next round number at or above `value`: 1, 2 or 5 with zeros. */
function round(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((step) => step * power >= value) * power;
}

export class Chart {
  /** `series`: [name, label, class]; `say` words a value, `tick` one on the axis; `log`: [lowest, least highest]. */
  constructor(figure, { series, say, tick, log = null, least = 1 }) {
    Object.assign(this, { series, say, tick, log, least, now: 0, at: null, curves: null });
    this.title = figure.querySelector("h2").textContent;
    this.svg = figure.querySelector("svg");
    this.grid = make(this.svg, "g", { class: "grid" });
    this.drawnSeries = series.filter(([, , kind]) => kind !== "none"); // the others are figures only
    this.lines = this.drawnSeries.map(([, , kind]) => make(this.svg, "path", { class: `line ${kind}` }));
    this.nothing = make(this.svg, "text", { class: "nothing", "text-anchor": "middle", y: HEIGHT / 2 });
    this.rule = make(this.svg, "line", { class: "rule", y1: TOP, y2: HEIGHT - BOTTOM });
    this.legend(figure.querySelector(".legend"));
    this.svg.addEventListener("pointermove", (event) => this.point(event.clientX - this.svg.getBoundingClientRect().left));
    this.svg.addEventListener("pointerleave", () => this.leave());
    this.svg.addEventListener("blur", () => this.leave());
    this.svg.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  legend(list) {
    this.values = this.series.map(([, label, kind]) => {
      const group = list.appendChild(document.createElement("div"));
      const term = group.appendChild(document.createElement("dt"));
      term.append(Object.assign(document.createElement("i"), { className: `swatch ${kind}` }), label);
      return group.appendChild(document.createElement("dd"));
    });
    this.of = list.closest("figure").querySelector(".of");
    this.usual = this.of.textContent;
  }

  /** `curves`: arrays by name, with `t`; `now`: their newest time; `figures`: what the legend says now, by name. */
  show(curves, now, figures) {
    Object.assign(this, { curves, now, figures });
    this.draw();
  }

  draw() {
    this.width = this.svg.clientWidth;
    if (!this.curves || !this.width) return;
    const values = this.drawnSeries.flatMap(([name]) => this.curves[name]).filter((value) => value != null);
    const most = values.reduce((a, b) => (a > b ? a : b), 0);
    this.top = this.log ? Math.max(this.log[1], 10 ** Math.ceil(Math.log10(most || this.log[0]))) : Math.max(this.least, most && round(most));
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    this.axes();
    this.nothing.textContent = values.length ? "" : "nothing yet";
    this.nothing.setAttribute("x", LEFT + (this.width - LEFT - RIGHT) / 2);
    this.drawnSeries.forEach(([name], i) => this.lines[i].setAttribute("d", this.path(this.curves[name])));
    this.read();
  }

  axes() {
    const steps = this.log ? this.decades() : [0, this.top / 2, this.top];
    const wide = this.width > 330 ? 5 : 15;
    const minutes = Array.from({ length: 15 / wide + 1 }, (_, i) => i * wide);
    const key = `${this.width} ${steps} `;
    if (key === this.drawn) return;
    this.drawn = key;
    this.grid.replaceChildren();
    for (const value of steps) {
      const y = this.y(value);
      make(this.grid, "line", { x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y });
      make(this.grid, "text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }).textContent = this.tick(value);
    }
    for (const minute of minutes) {
      const anchor = minute === 0 ? "end" : minute === 15 ? "start" : "middle";
      const text = make(this.grid, "text", { x: this.x(this.now - minute * 60), y: HEIGHT - 4, "text-anchor": anchor });
      text.textContent = minute ? `−${minute} min` : "now";
    }
  }

  decades() {
    const [lowest] = this.log;
    const all = Array.from({ length: Math.round(Math.log10(this.top / lowest)) + 1 }, (_, i) => lowest * 10 ** i);
    return all.length > 5 ? all.filter((_, i) => i % 2 === 0) : all;
  }

  x(t) {
    return LEFT + (1 - (this.now - t) / WINDOW) * (this.width - LEFT - RIGHT);
  }

  y(value) {
    const low = this.log && this.log[0];
    const part = this.log ? Math.log(Math.max(value, low) / low) / Math.log(this.top / low) : value / this.top;
    return HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP);
  }

  path(values) {
    const { t } = this.curves;
    let d = "", last = null;
    values.forEach((value, i) => {
      if (value == null || t[i] < this.now - WINDOW) return;
      const starts = last == null || t[i] - t[last] > GAP || last !== i - 1;
      d += `${starts ? "M" : "L"}${this.x(t[i]).toFixed(1)} ${this.y(value).toFixed(1)}${starts ? "h.01" : ""}`;
      last = i;
    });
    return d;
  }

  point(x) {
    const t = this.now - (1 - (x - LEFT) / (this.width - LEFT - RIGHT)) * WINDOW;
    this.at = Math.min(Math.max(t, this.now - WINDOW), this.now);
    this.read();
  }

  leave() {
    this.at = null;
    this.read();
  }

  key(event) {
    const step = { ArrowLeft: -15, ArrowRight: 15, PageUp: -60, PageDown: 60 }[event.key];
    if (step) this.at = Math.min(this.now, Math.max((this.at ?? this.now) + step, this.now - WINDOW));
    else if (event.key === "Escape") this.at = null;
    else return;
    event.preventDefault();
    this.read();
  }

  /** What the legend says: of the time that is pointed at, or of now. */
  read() {
    if (!this.curves) return;
    const { t } = this.curves;
    const pointed = this.at != null && t.length;
    const i = pointed ? t.reduce((best, at, n) => (Math.abs(at - this.at) < Math.abs(t[best] - this.at) ? n : best), 0) : null;
    this.rule.toggleAttribute("hidden", !pointed);
    if (pointed) for (const end of ["x1", "x2"]) this.rule.setAttribute(end, this.x(t[i]));
    this.of.textContent = pointed ? `${ago(this.now - t[i])}, at ${clock(t[i])}` : this.usual;
    const said = this.series.map(([name], n) => {
      const text = this.say(pointed ? this.curves[name][i] : this.figures[name], name);
      if (this.values[n].textContent !== text) this.values[n].textContent = text;
      return `${this.series[n][1]} ${text}`;
    });
    this.svg.setAttribute("aria-label", `${this.title}, ${pointed ? ago(this.now - t[i]) : "now"}: ${said.join(", ")}. Arrow keys go back in time.`);
  }
}
