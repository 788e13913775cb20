import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createMisfitFinder } from "./misfits.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "misfits-"));
  mkdirSync(`${home}/l`);
  for (const [id, link] of [
    ["1", "AAA"],
    ["2", "BBB"],
  ] as const) {
    mkdirSync(`${home}/${id}/diff`, { recursive: true });
    writeFileSync(`${home}/${id}/link`, link);
    symlinkSync(`../${id}/diff`, `${home}/l/${link}`);
  }
  writeFileSync(`${home}/2/lower`, "l/AAA");
});
afterEach(() => rmSync(home, { recursive: true }));

const misfit = (id: string) => createMisfitFinder(home)(id);

it("finds a link that leads to another layer, and a layer with more below it than its parent has", () => {
  expect([misfit("1"), misfit("2")]).toEqual([undefined, undefined]);
  writeFileSync(`${home}/2/lower`, "l/AAA:l/BBB");
  expect(misfit("2")).toMatch(/but not on the layers that "1" lies on/);
  writeFileSync(`${home}/1/link`, "BBB");
  expect(misfit("1")).toMatch(/its link leads to/);
});

/** What a power loss leaves of files that were not flushed. */
it.each(["", "\0".repeat(26)])("leaves files without content to others: %j", (text) => {
  writeFileSync(`${home}/2/lower`, text);
  expect(misfit("2")).toBeUndefined();
  writeFileSync(`${home}/2/link`, text);
  expect(misfit("2")).toBeUndefined();
});

/** As a sector that cannot be read is; a folder stands for it here. */
it("leaves files that cannot be read to others, and good layers above them alone", () => {
  rmSync(`${home}/1/link`);
  mkdirSync(`${home}/1/link`);
  expect([misfit("1"), misfit("2")]).toEqual([undefined, undefined]);
});
