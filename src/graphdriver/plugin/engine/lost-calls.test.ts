import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CleatError } from "../../../errors/index.ts";
import { silentLogger } from "../../../transport/index.ts";
import { createCallNotes } from "./call-notes.ts";
import { createLostCalls, type LostCalls } from "./lost-calls.ts";

let folder: string;
/** How many mounts of "a" the driver counts. */
let held: number;

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "cleat-calls-")), "calls");
  held = 0;
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true }));

const start = (resume: boolean): LostCalls => {
  const lost = createLostCalls({ folder, logger: silentLogger });
  lost.opened(resume);
  return lost;
};
const get = (lost: LostCalls) => lost.get("a", async () => void held++);
const put = (lost: LostCalls, id = "a") => lost.put(id, async () => void held--);
/** A call in which the process is killed, before or after its effect. */
const killed = (lost: LostCalls, call: "get" | "put", effect: number) => {
  held += effect;
  void lost[call]("a", () => new Promise<void>(() => {}));
};
const failing = (code: CleatError["code"]) => () => Promise.reject(new CleatError(code, "failed"));
/** What the next process would find. */
const notes = () => createCallNotes(folder, silentLogger).readAll();

describe("calls that were answered", () => {
  it("leave nothing behind, and the next process leaves nothing out", async () => {
    const before = start(false);
    await get(before);
    await get(before);
    await put(before);
    expect(notes()).not.toEqual([]); // the answer may not be out yet
    await nextTurn();
    expect(notes()).toEqual([]);
    await put(start(true));
    expect(held).toBe(0);
  });

  it("are those of an engine that is gone, too, when the next one says Init", async () => {
    await get(start(false));
    killed(start(true), "get", 1);
    held = 1;
    await put(start(false));
    expect([held, notes().length]).toEqual([0, 1]);
  });
});

describe.each([
  ["get", "before", 0],
  ["get", "after", 1],
  ["put", "before", 0],
  ["put", "after", -1],
] as const)("a %s in which the process is killed %s its effect", (call, _, effect) => {
  it.each(["all of it", "nothing"])(
    "takes nothing from who holds the layer, when the engine sends %s again",
    async (sent) => {
      const before = start(false);
      await get(before); // which lasts
      if (call === "put") await get(before);
      await nextTurn();
      killed(before, call, effect);
      const after = start(true);
      if (sent === "all of it") await (call === "get" ? get(after) : put(after));
      // An engine gives back also what it takes for failed.
      if (call === "get") await put(after);
      expect(held).toBeGreaterThanOrEqual(1);
    },
  );

  it("leaves out one Put, once, also when the next process is killed before it comes", async () => {
    killed(start(false), call, 0);
    start(true);
    const third = start(true);
    held = 2;
    await put(third, "b");
    await put(third);
    expect(held).toBe(1);
    await put(third);
    expect(held).toBe(0);
    await nextTurn();
    held = 1;
    await put(start(true));
    expect(held).toBe(0);
  });
});

describe("a Get that fails", () => {
  it("may be given back all the same", async () => {
    const lost = start(false);
    await get(lost);
    await expect(lost.get("a", failing("RESOURCE_EXHAUSTED"))).rejects.toThrow("failed");
    await put(lost);
    expect(held).toBe(1);
    await put(lost);
    expect(held).toBe(0);
  });

  it("is nobody's where there is no such layer", async () => {
    const lost = start(false);
    await expect(lost.get("a", failing("NOT_FOUND"))).rejects.toThrow("failed");
    await get(lost);
    await put(lost);
    expect(held).toBe(0);
  });

  it("is forgotten with its layer", async () => {
    const lost = start(false);
    await expect(lost.get("a", failing("INTERNAL"))).rejects.toThrow("failed");
    lost.removed("a");
    expect(notes()).toEqual([]);
    await get(lost);
    await put(lost);
    expect(held).toBe(0);
  });

  it("may have been of any layer that is mounted, where its name was lost", async () => {
    const lost = start(true);
    held = 1;
    lost.getLost(["a", "b"]);
    await put(lost);
    expect(held).toBe(1);
    await put(lost);
    expect(held).toBe(0);
  });

  it.each([
    ["without their layer", (lost: LostCalls) => lost.getLost(["a"])],
    ["that fail", (lost: LostCalls) => lost.get("a", failing("INTERNAL")).catch(() => {})],
  ])("comes from nobody as often as this: calls %s keep it mounted, and take no more room", async (_how, call) => {
    const first = start(true);
    held = 1;
    for (let turn = 0; turn < 1_000; turn++) await call(first);
    await nextTurn();
    expect(notes().length).toBeLessThan(100);
    for (const lost of [first, start(true)]) {
      for (let turn = 0; turn < 1_000; turn++) await put(lost);
      expect(held).toBe(1);
    }
    const last = start(true);
    last.removed("a");
    expect(notes()).toEqual([]);
    await put(last);
    expect(held).toBe(0);
  });
});

it("strikes out nothing of the next process's once it is closed", async () => {
  const before = start(false);
  await get(before);
  before.close();
  killed(start(false), "get", 1);
  await nextTurn();
  expect(notes()).toHaveLength(1);
});

describe("an archive", () => {
  const refused = expect.objectContaining({ code: "FAILED_PRECONDITION" });

  it("is taken for a layer that this process has created", () => {
    const lost = start(true);
    expect(() => lost.assertWholeArchive("a")).toThrow(refused);
    lost.created("a");
    lost.assertWholeArchive("a");
    lost.removed("a");
    expect(() => lost.assertWholeArchive("a")).toThrow(refused);
  });

  it("is taken for any layer after Init, since the engine is new", () => {
    start(false).assertWholeArchive("a");
  });
});

it("goes on where nothing can be written down", async () => {
  writeFileSync(folder, "");
  const lost = createLostCalls({ folder: join(folder, "below"), logger: silentLogger });
  await expect(lost.get("a", failing("INTERNAL"))).rejects.toThrow("failed");
  await get(lost);
  await put(lost);
  expect(held).toBe(1);
});
