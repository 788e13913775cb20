import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, it } from "vitest";

import { prepareHome, stagingFolder } from "../folders/home.ts";
import { readLayerRecord, stageLayerRecord } from "./layer-record.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(`${tmpdir()}/cleat-record-`);
  prepareHome(home, 0);
});
afterEach(() => rmSync(home, { recursive: true }));

const staged = (): string[] => readdirSync(`${home}/${stagingFolder}`);

it("is there once it is placed, and gone when it is given up", () => {
  const placed = stageLayerRecord(home);
  placed.place("a", "b");
  placed.discard();
  const givenUp = stageLayerRecord(home);
  expect(staged().length).toBe(1);
  givenUp.discard();
  expect(staged()).toEqual([]);
  expect(readLayerRecord(home, "a")?.parent).toBe("b");
});

it("to give it up does not fail, which would hide what the layer failed with", () => {
  const record = stageLayerRecord(home);
  for (const name of staged()) rmSync(`${home}/${stagingFolder}/${name}`);
  expect(() => record.discard()).not.toThrow();
});
