// How numbers and times are said.

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** `1,234`; an en dash where it is unknown. */
export const count = (value) => (value == null ? "–" : number.format(value));

/** `12k`: for axes. */
export const short = (value) => compact.format(value);

/** Records a second: `0`, `0.4`, `1,204`. */
export const rate = (value) => (value == null ? "–" : value > 0 && value < 10 ? value.toFixed(1) : number.format(value));

/** `12 ms`, `1.5 s`, `3 min 20 s`, `5 h`. */
export function span(seconds) {
  if (seconds == null) return "–";
  if (seconds <= 0) return "0 s";
  if (seconds < 0.9995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 100) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} days`;
}

/** An age in whole seconds: `0 s`, `12 s`, `3 min`. */
export const ago = (seconds) => `${seconds < 100 ? `${Math.max(0, Math.floor(seconds))} s` : span(seconds)} ago`;

/** The time of day where the reader is. `at`: Unix time. */
export const clock = (at) => new Date(at * 1000).toLocaleTimeString("en-GB");
