import { describe, expect, it } from "vitest";
import { createLayerLocks, type LayerLocks } from "./layer-locks.ts";

/** Work that the test ends, and a record of what has begun. */
function createStage() {
  const log: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => async (): Promise<string> => {
    log.push(name);
    await new Promise<void>((resolve) => ends.set(name, resolve));
    return name;
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await settled();
  };
  return { log, work, end };
}

/** All that can go on without anybody's doing has gone on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("turns", () => {
  it("of readers are taken side by side, of others one by one and in order", async () => {
    const locks = createLayerLocks();
    const { log, work, end } = createStage();
    void locks.whileUnchanged("a", work("read 1"));
    void locks.whileUnchanged("a", work("read 2"));
    void locks.withLock("a", work("change"));
    void locks.whileUnchanged("a", work("read 3"));
    void locks.withLock("b", work("other layer"));
    await settled();
    expect(log).toEqual(["read 1", "read 2", "other layer"]);
    await end("read 2");
    expect(log).toHaveLength(3);
    await end("read 1");
    expect(log.slice(3)).toEqual(["change"]);
    await end("change");
    expect(log.slice(4)).toEqual(["read 3"]);
  });

  it("go on after a failure", async () => {
    const locks = createLayerLocks();
    const failed = locks.withLock("a", async () => Promise.reject(new Error("x")));
    const next = locks.withLock("a", async () => "next");
    await expect(failed).rejects.toThrow("x");
    expect(await next).toBe("next");
    await locks.idle();
  });

  it("of a child wait for what changes its parent, and keep that waiting", async () => {
    const locks = createLayerLocks();
    const { log, work, end } = createStage();
    void locks.withLock("parent", work("fill"));
    void locks.withChild("child", "parent", work("create 1"));
    void locks.withChild("a child", "parent", work("create 2"));
    void locks.withLock("parent", work("remove"));
    await settled();
    expect(log).toEqual(["fill"]);
    await end("fill");
    expect(log.slice(1).toSorted()).toEqual(["create 1", "create 2"]);
    await end("create 1");
    await end("create 2");
    expect(log.slice(3)).toEqual(["remove"]);
  });

  it.each([
    ["on each other", "b"],
    ["on itself", "a"],
  ])("of layers that are made %s come", async (_, parent) => {
    const locks = createLayerLocks();
    const made = [locks.withChild("a", parent, async () => 1), locks.withChild(parent, "a", async () => 2)];
    expect(await Promise.all(made)).toEqual([1, 2]);
  });
});

describe("what takes no turn", () => {
  const read = (locks: LayerLocks, work: () => Promise<string>) => locks.unlessChanged(["a", undefined, "b"], work);

  it("is what it read where nothing was changed, or another layer was, or it had ended", async () => {
    const locks = createLayerLocks();
    const { work, end } = createStage();
    const reading = read(locks, work("read"));
    locks.markChanged("c");
    await end("read");
    locks.markChanged("a");
    expect(await reading).toBe("read");
    await expect(read(locks, async () => Promise.reject(new Error("x")))).rejects.toThrow("x");
  });

  it.each(["a", "b"])("is ABORTED where layer %s was, however it ends itself", async (changed) => {
    const locks = createLayerLocks();
    const { work, end } = createStage();
    const fail = () => work("fail")().then(() => Promise.reject(new Error("x")));
    const readings = Promise.allSettled([read(locks, work("read")), read(locks, fail)]);
    locks.markChanged(changed);
    await end("read");
    await end("fail");
    const aborted = { code: "ABORTED", message: expect.stringContaining(`layer "${changed}"`) };
    for (const reading of await readings) expect(reading).toMatchObject({ status: "rejected", reason: aborted });
  });
});

it("lets who waits give up alone, and those after it wait for the others only", async () => {
  const locks = createLayerLocks();
  const done: string[] = [];
  let finish!: () => void;
  const first = locks.withLock("a", () => new Promise<void>((resolve) => (finish = resolve)));
  const caller = new AbortController();
  const second = locks.within(caller.signal).withLock("a", async () => void done.push("second"));
  const third = locks.withLock("a", async () => void done.push("third"));
  caller.abort();
  await expect(second).rejects.toMatchObject({ code: "CANCELLED", message: expect.stringContaining('layer "a"') });
  expect(done).toEqual([]);
  finish();
  await Promise.all([first, third]);
  expect(done).toEqual(["third"]);
  await locks.idle();
});
