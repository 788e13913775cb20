import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { CleatError, SystemError, UnsupportedError } from "../../errors/index.ts";
import type { DiffGetter, GraphDriver } from "../driver.ts";
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
};
const ofNoLayer: typeof calls = {
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
  const refused = { code: "INVALID_ARGUMENT", message: expect.stringContaining("is no string") };
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
  await guarded.remove("l", { evenWithChildren: true });
  await guarded.get("l", { mountLabel: "m" });
  expect(said).toEqual({ remove: ["l", { evenWithChildren: true }], get: ["l", { mountLabel: "m" }] });
});
