import { beforeEach, expect, it } from "vitest";
import { silentLogger } from "../../../transport/index.ts";
import { type EarlierFailures, takeEarlierFailures } from "./earlier-failures.ts";

/** What happened, in order. */
let said: string[];
let isFull: boolean;
let failures: EarlierFailures;

const flush = async (): Promise<void> => {
  said.push("flush");
  if (isFull) throw new Error("full");
};

const write = (name: string, fails = false) =>
  failures.before(async () => {
    said.push(name);
    if (fails) throw new Error(`${name} failed`);
    return name;
  });

beforeEach(() => {
  [said, isFull] = [[], false];
  failures = takeEarlierFailures(flush, silentLogger);
});

it("flushes nothing while nothing fails", async () => {
  expect(await Promise.all([write("a"), write("b")])).toEqual(["a", "b"]);
  expect(said).toEqual(["a", "b"]);
});

it("flushes what a call that failed has left, once, before any other writes", async () => {
  await expect(write("a", true)).rejects.toThrow("a failed");
  expect(await Promise.all([write("b"), write("c")])).toEqual(["b", "c"]);
  await write("d");
  expect(said).toEqual(["a", "flush", "b", "c", "d"]);
});

it("flushes again until that succeeds, and lets calls try meanwhile", async () => {
  await expect(write("a", true)).rejects.toThrow("a failed");
  isFull = true;
  await write("b");
  isFull = false;
  await write("c");
  await write("d");
  expect(said).toEqual(["a", "flush", "b", "flush", "c", "d"]);
});

it("does without a flush where nothing is made durable", async () => {
  failures = takeEarlierFailures(undefined, silentLogger);
  await expect(write("a", true)).rejects.toThrow("a failed");
  await write("b");
  expect(said).toEqual(["a", "b"]);
});
