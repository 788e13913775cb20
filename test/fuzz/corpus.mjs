/**
 * What is kept of a target: a file of lines, each an input in base64, of which some have a name before a colon: the
 * fault that was found by it, and mended.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "corpus");
const fileOf = (target) => join(folder, `${target}.txt`);

export function readCorpus(target) {
  if (!existsSync(fileOf(target))) return [];
  const lines = readFileSync(fileOf(target), "utf8").split("\n");
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const at = line.lastIndexOf(": ");
      return {
        fault: at < 0 ? undefined : line.slice(0, at),
        input: Buffer.from(line.slice(at < 0 ? 0 : at + 2), "base64"),
      };
    });
}

export function writeCorpus(target, entries) {
  const lines = entries.map(({ fault, input }) => (fault === undefined ? "" : `${fault}: `) + input.toString("base64"));
  writeFileSync(fileOf(target), lines.map((line) => `${line}\n`).join(""));
}
