// node check.js SCHEMA VECTORS...: a line for each vector: its name, and what the schema (ajv) says of it.
import { readFileSync } from "node:fs";
import { argv } from "node:process";
import { Ajv2020 } from "ajv/dist/2020.js";

const [schema, ...files] = argv.slice(2);
const accepts = new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(readFileSync(schema, "utf8")));

function bytes(part) {
  if (typeof part === "string") return Buffer.from(part);
  if (part.base64 !== undefined) return Buffer.from(part.base64, "base64");
  return Buffer.concat(part.repeat.map(([text, times]) => Buffer.from(text.repeat(times))));
}

/** Whether the record is an event in structured form. */
function structured({ value, headers }) {
  const names = headers.map(([name]) => (typeof name === "string" ? name.toLowerCase() : ""));
  const at = names.lastIndexOf("content-type");
  const kind = at < 0 || headers[at][1] === null ? "" : bytes(headers[at][1]).toString().split(";")[0].toLowerCase();
  const json = ["", "application/json", "application/cloudevents+json"].includes(kind);
  return value !== null && json && !names.some((name) => name.startsWith("ce_"));
}

function verdict(vector) {
  if (!structured(vector)) return "not structured";
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes(vector.value));
    return accepts(JSON.parse(text)) ? "accepted" : "refused";
  } catch {
    return "no JSON";
  }
}

for (const file of files)
  for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
    const vector = JSON.parse(line);
    console.log(JSON.stringify([vector.name, verdict(vector)]));
  }
