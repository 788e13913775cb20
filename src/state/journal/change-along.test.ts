/** A change that the thread writes which has made what the change is about. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import { SystemError } from "../../errors/index.ts";
import { abandonWrite, makeOfferedWrite, type OfferedWrite } from "../../syscall/index.ts";
import { type ChangeQueue, createChangeQueue } from "./change-queue.ts";
import { openJournalFiles } from "./journal-files.ts";
import { openJournal } from "./journal.ts";

vi.mock(import("node:fs"), async (original) => {
  const actual = await original();
  return { ...actual, writeSync: vi.fn(actual.writeSync) as unknown as typeof actual.writeSync };
});

const format = { name: "words", subject: "words", stored: z.string(), toStored: (word: string) => word };

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "cleat-along-"))));
afterEach(() => rmSync(folder, { recursive: true }));

type WriteBytes = (file: number, bytes: Uint8Array, at: number, length: number, position: number | null) => number;
const written = vi.mocked(writeSync as WriteBytes);
const failWith = (errno: number) =>
  written.mockImplementationOnce(() => {
    throw new SystemError(errno, "write");
  });
const ENOSPC = 28;
const EIO = 5;
const EOPNOTSUPP = 95;

describe.each([{ prefilled: false }, { prefilled: true }])("of a journal, $prefilled,", ({ prefilled }) => {
  let words: Set<string>;
  let queue: ChangeQueue<string>;
  /** Whether the file system can set room aside. */
  let hasRoom = true;

  const open = async () => {
    words = new Set();
    const files = await openJournalFiles(folder, { prefilled });
    const openFile: typeof files.open = async (...of) => {
      const file = await files.open(...of);
      return hasRoom ? file : { ...file, allocate: () => Promise.reject(new SystemError(EOPNOTSUPP, "fallocate")) };
    };
    const kept = new Set<string>();
    const onChange = (word: string) => void [words, kept].forEach((each) => each.add(word));
    const opened = await openJournal({
      files: { ...files, open: openFile },
      format,
      begin: () => ["first"],
      onChange,
      mayHaveRoom: prefilled,
    });
    queue = createChangeQueue(opened, {
      apply(word) {
        if (word === "impossible") throw new Error("cannot be");
        words.add(word);
        return () => void words.delete(word);
      },
      keep: (word) => void kept.add(word),
      checkpoint: () => [...kept],
      lengthOf: (word) => word.length,
      makesRoom: () => false,
    });
    await queue.change(`opened ${kept.size}`); // sets room aside
  };
  beforeEach(open);
  afterEach(() => queue.close().catch(() => {}));

  /** What is found by who opens it next. */
  const reopened = async () => {
    await queue.close();
    await open();
    return [...words].filter((word) => !word.startsWith("opened"));
  };
  const byThread = async (offered: OfferedWrite | undefined) => {
    await pause(1);
    if (offered !== undefined) makeOfferedWrite(offered);
  };

  it("is written by that thread, and durable", async () => {
    expect(await queue.changeAlong("one", byThread)).toBe(true);
    expect(await queue.changeAlong("two", byThread)).toBe(true);
    await queue.change("three");
    expect(words).toContain("two");
    expect(await reopened()).toEqual(["first", "one", "two", "three"]);
  });

  it("is made when it is written, and not before", async () => {
    const along = queue.changeAlong("one", async (offered) => {
      expect(words).not.toContain("one");
      await byThread(offered);
      expect(words).not.toContain("one");
    });
    await along;
    expect(words).toContain("one");
  });

  it("is withdrawn for another that comes meanwhile, which does not wait", async () => {
    let isOver = false;
    const along = queue.changeAlong("slow", async (offered) => {
      await queue.change("quick");
      isOver = true;
      await byThread(offered);
    });
    expect(await along).toBe(false);
    expect(isOver).toBe(true);
    expect(await queue.changeAlong("later", byThread)).toBe(true);
    expect(await reopened()).toEqual(["first", "quick", "later"]);
  });

  it("keeps another waiting that comes while it is written, and comes before it", async () => {
    let quick: Promise<void> | undefined;
    const along = queue.changeAlong("slow", async (offered) => {
      Atomics.store(offered!.state, 0, 2); // has begun
      quick = queue.change("quick");
      await pause(20);
      Atomics.store(offered!.state, 0, 0);
      makeOfferedWrite(offered!);
    });
    expect(await along).toBe(true);
    await quick;
    expect(await reopened()).toEqual(["first", "slow", "quick"]);
  });

  it("is offered to one at a time, and not while others are written", async () => {
    const offers: boolean[] = [];
    const work = async (offered: OfferedWrite | undefined) => {
      offers.push(offered !== undefined);
      await byThread(offered);
    };
    const both = await Promise.all([queue.changeAlong("one", work), queue.changeAlong("two", work)]);
    const changed = queue.change("three");
    const third = await queue.changeAlong("four", work);
    await changed;
    expect([both, third]).toEqual([[true, false], false]);
    expect(offers).toEqual([true, false, false]);
    expect(await reopened()).toEqual(["first", "one", "three"]);
  });

  it("is the only one also when another ends that was withdrawn before", async () => {
    let end = () => {};
    const withdrawn = queue.changeAlong("one", () => new Promise((resolve) => (end = resolve)));
    await queue.change("two");
    const along = queue.changeAlong("three", async (offered) => {
      end();
      expect(await withdrawn).toBe(false);
      await queue.changeAlong("four", async (other) => expect(other).toBeUndefined());
      await byThread(offered);
    });
    expect(await along).toBe(true);
    expect(await reopened()).toEqual(["first", "two", "three"]);
  });

  it("is not written where what has to be there before fails", async () => {
    const failing = queue.changeAlong("one", async () => {
      await pause(1);
      throw new Error("no layer");
    });
    await expect(failing).rejects.toThrow("no layer");
    await queue.change("two");
    expect(await reopened()).toEqual(["first", "two"]);
  });

  it("is not begun where it cannot be", async () => {
    const work = vi.fn(byThread);
    await expect(queue.changeAlong("impossible", work)).rejects.toThrow("cannot be");
    expect(work).not.toHaveBeenCalled();
  });

  it("is written whole where the system takes a part of it at a time", async () => {
    const actual = await vi.importActual<typeof import("node:fs")>("node:fs");
    written.mockImplementationOnce((file, bytes, at, _, position) => actual.writeSync(file, bytes, at, 3, position));
    expect(await queue.changeAlong("one", byThread)).toBe(true);
    expect(await reopened()).toEqual(["first", "one"]);
  });

  it("is taken back on a full disk, and others go on", async () => {
    failWith(ENOSPC);
    await expect(queue.changeAlong("one", byThread)).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    expect(words).not.toContain("one");
    await queue.change("two");
    expect(await reopened()).toEqual(["first", "two"]);
  });

  it("spoils the journal where nobody can say what is on the disk", async () => {
    failWith(EIO);
    const waiting = queue.changeAlong("one", async (offered) => {
      await byThread(offered);
    });
    await expect(waiting).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(queue.isBroken).toBe(true);
    await expect(queue.change("two")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const work = vi.fn(byThread);
    await expect(queue.changeAlong("two", work)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(work).not.toHaveBeenCalled();
  });

  it("is cut off again where its thread has died in the middle", async () => {
    const dying = queue.changeAlong("one", async (offered) => {
      Atomics.store(offered!.state, 0, 2); // has begun
      const half = offered!.bytes.subarray(0, 5);
      if (offered!.position === null) appendFileSync(offered!.descriptor, half);
      else writeSync(offered!.descriptor, half, 0, half.length, offered!.position);
      abandonWrite(offered!);
      throw new Error("thread died");
    });
    await expect(dying).rejects.toThrow("thread died");
    await queue.change("two");
    expect(await reopened()).toEqual(["first", "two"]);
  });

  it.each(["changed", "closed"])("is cut off again where it is given up while it is written, and %s", async (how) => {
    let offered: OfferedWrite | undefined;
    const givenUp = queue.changeAlong("one", async (mine) => {
      Atomics.store((offered = mine!).state, 0, 2); // has begun
      throw new Error("given up");
    });
    const isOver = vi.fn();
    void givenUp.catch(isOver);
    const next = how === "changed" ? queue.change("two") : queue.close();
    await pause(20);
    expect(isOver).not.toHaveBeenCalled();
    Atomics.store(offered!.state, 0, 0);
    makeOfferedWrite(offered!);
    await expect(givenUp).rejects.toThrow("given up");
    await next;
    expect(await reopened()).toEqual(how === "changed" ? ["first", "two"] : ["first"]);
  });

  it("is taken out again where what it is about comes to nothing behind the write", async () => {
    const dying = queue.changeAlong("one", async (offered) => {
      await byThread(offered);
      throw new Error("thread died");
    });
    await expect(dying).rejects.toThrow("thread died");
    expect(words).not.toContain("one");
    expect(readFileSync(`${folder}/records`, "latin1")).not.toContain("one");
    expect(await queue.changeAlong("two", byThread)).toBe(false); // sets room aside again
    await queue.change("two");
    expect(await queue.changeAlong("three", byThread)).toBe(true);
    expect(await reopened()).toEqual(["first", "two", "three"]);
  });

  it("is waited for when the journal is closed, or withdrawn", async () => {
    let offered: OfferedWrite | undefined;
    const along = queue.changeAlong("one", async (mine) => {
      offered = mine;
      await pause(20);
    });
    await queue.close();
    makeOfferedWrite(offered!); // to a number that may be another file's by now
    expect(await along).toBe(false);
    expect(readFileSync(`${folder}/records`, "latin1")).not.toContain("one");
  });

  it.each([true, false])("lets the journal be written anew when it has become long, room: %s", async (room) => {
    hasRoom = room;
    onTestFinished(() => void (hasRoom = true));
    await reopened();
    const long = "x".repeat(50_000);
    let refused = 0;
    for (let word = 0; word < 60; word++) {
      if (await queue.changeAlong(`${word} ${long}`, byThread)) continue;
      refused++;
      await queue.change(`${word} ${long}`);
    }
    expect(refused).toBeGreaterThan(0);
    expect(readFileSync(`${folder}/records`, "latin1").slice(0, 100)).not.toContain('"seq":0');
    expect((await reopened()).length).toBe(61);
  });
});
