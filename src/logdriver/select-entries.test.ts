import { getEventListeners } from "node:events";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { LogEntry, ReadLogsOptions } from "./driver.ts";
import { createEntryBuffer } from "./entry-buffer.ts";
import { createLogFeed } from "./log-feed.ts";
import { joinPartials, selectEntries } from "./select-entries.ts";

const entry = (
  text: string,
  timeNs = 0n,
  partial?: [id: string, ordinal: number, last: boolean],
  source = "stdout",
) => {
  const [id = "", ordinal = 0, last = false] = partial ?? [];
  const whole = { source, timeNs, line: Buffer.from(text) };
  return partial === undefined ? whole : { ...whole, partial: { id, ordinal, last } };
};
const collect = (entries: AsyncIterable<LogEntry>): Promise<LogEntry[]> => Readable.from(entries).toArray();
const texts = async (entries: AsyncIterable<LogEntry>) =>
  (await collect(entries)).map(({ line }) => Buffer.from(line).toString());

describe("lines", () => {
  it("are put together, each stream for itself, with the time of their beginning", async () => {
    const pieces = [
      entry("a", 1n, ["x", 1, false]),
      entry("1", 2n, ["y", 1, false], "stderr"),
      entry("b", 3n, ["x", 2, false]),
      entry("2", 4n, ["y", 2, true], "stderr"),
      entry("c", 5n, ["x", 3, true]),
      entry("d", 6n),
    ];
    const joined = await collect(joinPartials(pieces));
    expect(joined.map(({ line, timeNs, source }) => `${timeNs} ${source} ${String(line)}`)).toEqual([
      "2 stderr 12",
      "1 stdout abc",
      "6 stdout d",
    ]);
  });

  it.each([
    ["whose last piece was lost", [entry("a", 1n, ["x", 1, false]), entry("b", 2n, ["y", 1, true])], ["a", "b"]],
    ["whose last piece was lost before a whole line", [entry("a", 1n, ["x", 1, false]), entry("b", 2n)], ["a", "b"]],
    ["that nobody ended", [entry("a", 1n, ["x", 1, false])], ["a"]],
    ["whose last piece is no piece to old engines", [entry("a", 1n, ["", 0, false]), entry("b")], ["ab"]],
  ])("are not lost %s", async (_, pieces, lines) => {
    expect(await texts(joinPartials(pieces))).toEqual(lines);
  });

  it("end at a mebibyte", async () => {
    const piece = "x".repeat(16 * 1024);
    const pieces = Array.from({ length: 100 }, (_, at) => entry(piece, 1n, ["x", at + 1, at === 99]));
    const sizes = (await texts(joinPartials(pieces))).map((text) => text.length);
    expect(sizes).toEqual([1024 * 1024, 36 * 16 * 1024]);
  });
});

describe("what is asked for", () => {
  const kept = [1n, 2n, 3n, 4n, 5n].map((timeNs) => entry(String(timeNs), timeNs));
  it.each<[ReadLogsOptions, string]>([
    [{}, "12345"],
    [{ tail: 2 }, "45"],
    [{ tail: 9 }, "12345"],
    [{ tail: 0 }, ""],
    [{ sinceNs: 3n }, "345"],
    [{ untilNs: 3n }, "123"],
    [{ sinceNs: 2n, untilNs: 4n, tail: 2 }, "34"],
    [{ sinceNs: 9n, tail: 2 }, ""],
  ])("with %o is what is given", async (options, expected) => {
    expect((await texts(selectEntries(kept, options))).join("")).toBe(expected);
  });

  it("counts lines, not pieces", async () => {
    const pieces = [entry("a"), entry("b", 1n, ["x", 1, false]), entry("c", 1n, ["x", 2, true])];
    expect(await texts(selectEntries(pieces, { tail: 1 }))).toEqual(["bc"]);
  });
});

describe("a buffer", () => {
  const taken = (drop: "oldest" | "newest") => {
    const buffer = createEntryBuffer({ maxBytes: 3 * 257, drop });
    for (const text of "abcdefg") buffer.push([entry(text)]);
    return buffer.take();
  };
  it.each([
    ["oldest", "efg"],
    ["newest", "abc"],
  ] as const)("that drops the %s keeps its bounds and counts", (drop, left) => {
    const { entries, dropped } = taken(drop);
    expect([entries.map(({ line }) => String(line)).join(""), dropped]).toEqual([left, 4]);
  });

  it("is empty once it was taken", () => {
    const buffer = createEntryBuffer({ maxBytes: 1000, drop: "oldest" });
    buffer.push([entry("a")]);
    expect(buffer.take().entries).toHaveLength(1);
    expect([buffer.length, buffer.sizeBytes, buffer.take()]).toEqual([0, 0, { entries: [], dropped: 0 }]);
  });
});

describe("a feed", () => {
  it("gives what comes after the call, until its end", async () => {
    const feed = createLogFeed();
    feed.publish([entry("before")]);
    const following = feed.follow();
    feed.publish([entry("one")]);
    const first = await following.next();
    const second = following.next();
    feed.publish([entry("two")]);
    feed.end();
    expect([first.value, (await second).value].map((one) => String((one as LogEntry).line))).toEqual(["one", "two"]);
    expect((await following.next()).done).toBe(true);
  });

  it("is left by a follower who never began to read", async () => {
    const leaving = new AbortController();
    const follower = createLogFeed().follow(leaving.signal);
    expect(getEventListeners(leaving.signal, "abort")).toHaveLength(1);
    await follower.return(undefined);
    expect(getEventListeners(leaving.signal, "abort")).toEqual([]);
    expect(await follower.next()).toEqual({ done: true, value: undefined });
  });

  it("ends with its signal, while it waits", async () => {
    const feed = createLogFeed();
    const leaving = new AbortController();
    const waiting = feed.follow(leaving.signal).next();
    leaving.abort();
    expect((await waiting).done).toBe(true);
  });

  it("loses what a follower does not read, and no more than that", async () => {
    const feed = createLogFeed({ maxBytes: 1000 });
    const [slow, quick] = [feed.follow(), feed.follow()];
    for (let at = 0; at < 100; at++) {
      feed.publish([entry(String(at))]);
      expect(String(((await quick.next()).value as LogEntry).line)).toBe(String(at));
    }
    feed.end();
    expect((await texts(slow)).at(-1)).toBe("99");
  });
});
