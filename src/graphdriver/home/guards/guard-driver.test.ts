import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { CleatError, SystemError, UnsupportedError } from "../../../errors/index.ts";
import type { DiffGetter, GraphDriver } from "../../driver.ts";
import { guardDriver } from "./guard-driver.ts";

/** A driver each of whose methods throws `failure`, at once or later. */
function failing(failure: unknown, when: "at once" | "later"): GraphDriver {
  const fail = (): never => {
    throw failure;
  };
  const method = when === "at once" ? fail : async () => fail();
  const driver: Record<keyof GraphDriver, unknown> = {
    name: "theirs",
    capabilities: { reproducesExactDiffs: false, mounts: false, enforcesSize: false, maxDepth: 1 },
    create: method,
    createReadWrite: method,
    remove: method,
    get: method,
    put: method,
    exists: method,
    status: method,
    metadata: method,
    diff: method,
    changes: method,
    applyDiff: method,
    diffSize: method,
    diffGetter: method,
    mounts: method,
    usage: method,
    mend: method,
    rebase: method,
    list: () => ({ [Symbol.asyncIterator]: () => ({ next: method }) }),
    cleanup: method,
    close: method,
    [Symbol.asyncDispose]: method,
  };
  return driver as GraphDriver;
}

const calls: Readonly<Record<string, (driver: GraphDriver) => Promise<unknown> | undefined>> = {
  create: (driver) => driver.create("l", {}),
  createReadWrite: (driver) => driver.createReadWrite("l", {}),
  remove: (driver) => driver.remove("l"),
  get: (driver) => driver.get("l", {}),
  put: (driver) => driver.put("l"),
  exists: (driver) => driver.exists("l"),
  metadata: (driver) => driver.metadata("l"),
  diff: (driver) => driver.diff("l", "p"),
  changes: (driver) => driver.changes("l", "p"),
  applyDiff: (driver) => driver.applyDiff("l", "p", Readable.from([])),
  diffSize: (driver) => driver.diffSize("l", "p"),
  diffGetter: (driver) => driver.diffGetter?.("l"),
  mounts: (driver) => driver.mounts?.("l"),
  usage: (driver) => driver.usage?.("l"),
  rebase: (driver) => driver.rebase?.("l", "p"),
};
const ofNoLayer: typeof calls = {
  mend: (driver) => driver.mend?.([]),
  status: (driver) => driver.status(),
  list: async (driver) => {
    for await (const layer of driver.list?.() ?? []) throw new Error(`listed ${layer.id}`);
  },
  cleanup: (driver) => driver.cleanup(),
  close: (driver) => driver.close(),
};

describe.each(["at once", "later"] as const)("what is thrown %s", (when) => {
  it.each(Object.entries({ ...calls, ...ofNoLayer }))("by %s gets its code", async (method, call) => {
    const subject = method in calls ? 'layer "l"' : 'driver "theirs"';
    const wanted = { code: "NOT_FOUND", message: `${subject}: ENOENT: no such file or directory, open '/x'` };
    const driver = guardDriver(failing(new SystemError(2, "open", "/x"), when));
    await expect(call(driver)).rejects.toMatchObject({ name: "CleatError", ...wanted });
  });

  it("is told with the layer's name, and is what it was where it has that", async () => {
    const unnamed = guardDriver(failing(new CleatError("ABORTED", "it moved"), when));
    await expect(unnamed.get("l", {})).rejects.toMatchObject({ code: "ABORTED", message: 'layer "l": it moved' });
    const named = new UnsupportedError("layer l", { needed: "x", probed: "y", seen: "z" });
    await expect(guardDriver(failing(named, when)).get("l", {})).rejects.toBe(named);
  });

  it.each([undefined, null, "text", Object.create(null), Symbol("s")])(
    "is an error also when it is %o",
    async (value) => {
      await expect(guardDriver(failing(value, when)).remove("l")).rejects.toMatchObject({ code: "UNKNOWN" });
    },
  );

  it("together is one error, with the code of the first", async () => {
    const one = new CleatError("DEADLINE_EXCEEDED", 'layer "a" hangs');
    const failure = new AggregateError([one, new SystemError(16, "umount2", "/b")], "2 layers cannot be unmounted");
    await expect(guardDriver(failing(failure, when)).cleanup()).rejects.toMatchObject({
      name: "CleatError",
      code: "DEADLINE_EXCEEDED",
      message: expect.stringMatching(/2 layers cannot be unmounted: layer "a" hangs; EBUSY/),
      cause: failure,
    });
  });
});

it.each([[5], [undefined], [null], [{}]])("refuses %o for a layer's id, and for a parent", async (id) => {
  const driver = guardDriver(failing(new Error("was called"), "later"));
  const refused = { code: "INVALID_ARGUMENT", message: expect.stringContaining("is not a string") };
  await expect(driver.get(id as unknown as string, {})).rejects.toMatchObject(refused);
  if (id != null) await expect(driver.diff("l", id as unknown as string)).rejects.toMatchObject(refused);
});

it("lets a caller leave out what it does not want", async () => {
  const given: unknown[] = [];
  const take = async (_: string, options: unknown): Promise<void> => void given.push(options);
  const get = async (_: string, options: unknown): Promise<string> => (given.push(options), "/path");
  const driver = guardDriver({ ...failing("", "later"), create: take, createReadWrite: take, get });
  await driver.create("l");
  await driver.createReadWrite("l");
  expect(await driver.get("l")).toBe("/path");
  expect(given).toEqual([{}, {}, {}]);
});

it("closes the driver at the end of its block, however that ends", async () => {
  let closed = 0;
  const { [Symbol.asyncDispose]: _, ...unguarded } = failing("", "later");
  const open = () => guardDriver({ ...unguarded, close: async () => void (closed += 1) });
  const use = async (): Promise<never> => {
    await using driver = open();
    throw new Error(`${driver.name} was used`);
  };
  await expect(use()).rejects.toThrow("theirs was used");
  expect(closed).toBe(1);
});

it("guards what a diff getter does, and has none where the driver has none", async () => {
  const refuse = async (): Promise<never> => {
    throw new SystemError(5, "openat2", "f");
  };
  const getter: DiffGetter = { get: refuse, close: refuse, [Symbol.asyncDispose]: refuse };
  const guarded = await guardDriver({ ...failing("", "later"), diffGetter: async () => getter }).diffGetter?.("l");
  for (const call of [guarded?.get(Buffer.from("f")), guarded?.close(), guarded?.[Symbol.asyncDispose]()]) {
    await expect(call).rejects.toMatchObject({ code: "DATA_LOSS", message: expect.stringContaining('layer "l"') });
  }
  const { diffGetter: _, ...without } = failing("", "later");
  expect("diffGetter" in guardDriver(without)).toBe(false);
});

it("hands on all that a caller says", async () => {
  const said: Record<string, unknown[]> = {};
  const note =
    (method: string) =>
    async (...args: unknown[]) =>
      void (said[method] = args);
  const driver = failing(new Error("not asked"), "later");
  const guarded = guardDriver({ ...driver, remove: note("remove"), get: note("get") as never });
  const { signal } = new AbortController();
  await guarded.remove("l", { evenWithChildren: true });
  await guarded.get("l", { mountLabel: "m" }, { signal });
  const heard = { signal: expect.any(AbortSignal) };
  expect(said).toEqual({
    remove: ["l", { evenWithChildren: true }, undefined],
    get: ["l", { mountLabel: "m" }, heard],
  });
});

describe("a caller who gives up", () => {
  const silent = (): Promise<never> => new Promise(() => {});

  it("waits no longer for a driver that goes on", async () => {
    const caller = new AbortController();
    const driver = guardDriver({ ...failing("", "later"), changes: silent });
    const call = driver.changes("l", undefined, { signal: caller.signal });
    caller.abort(new Error("enough"));
    const told = { code: "CANCELLED", message: expect.stringContaining('layer "l"') };
    await expect(call).rejects.toMatchObject({ ...told, cause: expect.objectContaining({ message: "enough" }) });
  });

  it("is told so after its time, by each method", async () => {
    const driver = guardDriver({ ...failing("", "later"), diffSize: silent, diff: silent, status: silent });
    const call = { timeoutMs: 1 };
    const told = { code: "DEADLINE_EXCEEDED", message: expect.stringContaining("within 1 ms") };
    for (const late of [driver.diffSize("l", "p", call), driver.diff("l", "p", call), driver.status(call)]) {
      await expect(late).rejects.toMatchObject(told);
    }
  });

  it("is told what else went wrong, where that did not come of it", async () => {
    const caller = new AbortController();
    const fail = async (): Promise<never> => {
      caller.abort();
      throw new CleatError("DATA_LOSS", 'layer "l" is damaged');
    };
    const driver = guardDriver({ ...failing("", "later"), metadata: fail });
    await expect(driver.metadata("l", { signal: caller.signal })).rejects.toMatchObject({ code: "DATA_LOSS" });
  });

  it("has the mount that came all the same, since it is counted", async () => {
    const caller = new AbortController();
    const get = async (): Promise<string> => (caller.abort(), "/path");
    const driver = guardDriver({ ...failing("", "later"), get });
    expect(await driver.get("l", {}, { signal: caller.signal })).toBe("/path");
  });

  it("lets go of an archive whose sender is silent", async () => {
    const caller = new AbortController();
    let isLetGo = false;
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: silent,
        return: async () => ((isLetGo = true), { done: true, value: 0 }),
      }),
    };
    const applyDiff: GraphDriver["applyDiff"] = async (_id, _parent, bytes) => {
      setImmediate(() => caller.abort());
      for await (const _ of bytes);
      return 0;
    };
    const driver = guardDriver({ ...failing("", "later"), applyDiff });
    const call = driver.applyDiff("l", undefined, source, { signal: caller.signal });
    await expect(call).rejects.toMatchObject({ code: "CANCELLED", message: expect.stringContaining('layer "l"') });
    expect(isLetGo).toBe(true);
  });

  it("closes what is answered later", async () => {
    const caller = new AbortController();
    const stream = Readable.from(["x"]);
    const diff = async (): Promise<Readable> => (caller.abort(), stream);
    const driver = guardDriver({ ...failing("", "later"), diff });
    await expect(driver.diff("l", "p", { signal: caller.signal })).rejects.toMatchObject({ code: "CANCELLED" });
    expect(stream.destroyed).toBe(true);
  });
});
