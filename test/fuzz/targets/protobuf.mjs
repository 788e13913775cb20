/** Messages of containerd's services: what is decoded and encoded again is decoded to the same. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";

const folder = new URL("../../../dist/containerd/services/", import.meta.url);
const messages = [];
for (const file of readdirSync(folder).filter((name) => name.endsWith(".js")))
  collect(await import(new URL(file, folder).href));

function collect(value, depth = 0) {
  if (typeof value !== "object" || value === null || depth > 5) return;
  if (typeof value.decode === "function" && typeof value.encode === "function") messages.push(value);
  else for (const member of Object.values(value)) collect(member, depth + 1);
}

export const codes = ["INVALID_ARGUMENT"];
export const dictionary = [
  "\x0a\x03abc",
  "\x12\x02\x0a\x00",
  "\x08\x96\x01",
  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
  "\x1a\x05\x0a\x01k\x12\x00",
  "\xc3\x28",
  "\x0b\x0c",
];
export const seeds = messages.map(
  (_, at) => `${String.fromCharCode(at)}\x0a\x03abc\x12\x04\x0a\x02xy\x18\x01\x22\x06\x0a\x01k\x12\x01v`,
);

export function run(input) {
  const message = messages[(input[0] ?? 0) % messages.length];
  const decoded = message.decode(new Uint8Array(input.subarray(1)), "INVALID_ARGUMENT");
  assert.deepEqual(message.decode(message.encode(decoded), "INVALID_ARGUMENT"), decoded);
}
