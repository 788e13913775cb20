/**
 * What every driver gets, with a backend that mounts nothing.
 * Real mounts are in test/kernel/volumes/volumes.test.ts.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CleatError } from "../../errors/index.ts";
import {
  type ManagedVolumes,
  type ManagedVolumesOptions,
  openManagedVolumes,
  secretOption,
  sizeOption,
  textOption,
} from "../index.ts";

/** The child that removes trees is a program of the built package's; here it is told which trees. */
const { removeTrees } = vi.hoisted(() => ({ removeTrees: vi.fn<(paths: readonly string[]) => Promise<void>>() }));
vi.mock("../mounting/run-tool.ts", () => ({ removeTrees }));

const options = { size: sizeOption().optional(), password: secretOption().optional(), label: textOption().optional() };
type Backend = Omit<ManagedVolumesOptions<typeof options>, "name" | "folder">;

let folder: string;
let told: string[];
let open: ManagedVolumes | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-volumes-"));
  told = [];
  removeTrees.mockReset().mockImplementation(async (paths) => {
    for (const path of paths) await rm(path, { recursive: true });
  });
});
afterEach(async () => {
  await open?.close();
  open = undefined;
  await rm(folder, { recursive: true });
});

async function start(overrides: Partial<Backend> = {}): Promise<ManagedVolumes> {
  await open?.close();
  open = await openManagedVolumes({
    name: "test",
    folder,
    options,
    create: async ({ name }) => void told.push(`create ${name}`),
    mount: async ({ name, folder: own }) => (told.push(`mount ${name}`), own),
    unmount: async ({ name }) => void told.push(`unmount ${name}`),
    remove: async ({ name }) => void told.push(`remove ${name}`),
    ...overrides,
  });
  return open;
}

describe("volumes", () => {
  it("of a moved folder are neither made, mounted nor removed in another that stands in its place", async () => {
    const home = join(folder, "home");
    const settings = {
      name: "test",
      options,
      create: async () => {},
      mount: async (call: { folder: string }) => call.folder,
    };
    const driver = await openManagedVolumes({ ...settings, folder: home });
    await driver.create("data", {});
    await rename(home, join(folder, "moved"));
    const other = await openManagedVolumes({ ...settings, folder: home });
    await other.create("data", {});
    await writeFile(join(home, "volumes/data/file"), "theirs");
    const refused = { code: "FAILED_PRECONDITION", message: expect.stringContaining("is not the folder any more") };
    for (const call of [
      () => driver.create("more", {}),
      () => driver.mount("data", "c1"),
      () => driver.remove("data"),
      () => driver.unmount("data", "c1"),
    ]) {
      await expect(call()).rejects.toMatchObject(refused);
    }
    await driver.close();
    expect((await other.list()).map(({ name }) => name)).toEqual(["data"]);
    expect(await readdir(join(home, "volumes/data"))).toEqual(["file"]);
    await other.close();
  });

  it("live from create to remove, and mount once for all holders", async () => {
    const driver = await start();
    await driver.create("data", { options: { size: "1g" } });
    await driver.create("data", { options: { size: "1024 MiB" } }); // the same
    await expect(driver.create("data", { options: { size: "2g" } })).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    expect(await driver.path("data")).toBeUndefined();
    const paths = await Promise.all(Array.from({ length: 64 }, (_, index) => driver.mount("data", `c${index % 32}`)));
    expect(new Set(paths)).toEqual(new Set([join(folder, "volumes/data")]));
    expect(await driver.get("data")).toMatchObject({
      name: "data",
      mountpoint: paths[0],
      status: { Options: { size: "1g" }, Mounts: 32 },
    });
    await expect(driver.remove("data")).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: 'volume "data" is in use by 32 mounts',
    });
    for (let index = 0; index < 32; index++) {
      await driver.unmount("data", `c${index}`);
      await driver.unmount("data", `c${index}`);
    }
    expect(told).toEqual(["create data", "mount data", "unmount data"]);
    await writeFile(join(folder, "volumes/data/file"), "x");
    await driver.remove("data");
    expect(told.at(-1)).toBe("remove data");
    expect(existsSync(join(folder, "volumes/data"))).toBe(false);
    for (const call of [driver.get("data"), driver.remove("data"), driver.mount("data", "c"), driver.path("data")]) {
      await expect(call).rejects.toMatchObject({ code: "NOT_FOUND", message: 'volume "data" does not exist' });
    }
    expect(await driver.list()).toEqual([]);
  });

  it("are there again, with their options and holders, when the driver is opened again", async () => {
    const first = await start();
    await first.create("data", { options: { label: "x" } });
    await first.create("idle");
    await first.mount("data", "c1");
    const before = await first.list();
    const second = await start();
    expect(await second.list()).toEqual(before);
    expect(second.holders("data")).toEqual(["c1"]);
    await second.mount("data", "c2");
    await second.unmount("data", "c1");
    expect(told).toEqual(["create data", "create idle", "mount data"]);
    await second.unmount("data", "c2");
    expect(told.at(-1)).toBe("unmount data");
  });

  it("show no secret in what their backends log, in calls and after them", async () => {
    const lines: { fields: Record<string, unknown>; message: string }[] = [];
    const note = (fields: object, message: string) => void lines.push({ fields: { ...fields }, message });
    const logger = { debug: note, info: note, warn: note, error: note };
    const failure = () => new Error("login failed", { cause: new Error("s3cr3t is wrong") });
    const backend: Partial<Backend> = {
      mount: async ({ folder: own }, call) => {
        call.logger.warn({ err: failure(), said: "with s3cr3t" }, "s3cr3t is refused");
        return own;
      },
      care: async (_, care) => care.logger.warn({ err: new Error("s3cr3t"), files: 2 }, "it has died"),
    };
    const driver = await start({ ...backend, logger });
    await driver.create("data", { options: { password: "s3cr3t" } });
    await driver.mount("data", "c");
    await start({ ...backend, logger });
    expect(lines.map(({ message }) => message)).toEqual(["*** is refused", "it has died"]);
    expect(lines[1]?.fields).toMatchObject({ files: 2, err: { message: "***" } });
    expect(inspect(lines, { depth: 9 })).not.toContain("s3cr3t");
  });

  it("have options that are checked by name, and secrets that are shown nowhere", async () => {
    const password = "s3cr3t-word";
    const driver = await start({
      mount: async () => {
        throw new Error(`server says: ${password} is wrong`);
      },
    });
    const refused = (given: Record<string, string>) => driver.create("bad", { options: given });
    await expect(refused({ sise: "1g" })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: 'option "sise" is unknown; known are label, password, size',
    });
    await expect(refused({ size: "big" })).rejects.toThrow('option "size" takes a size above nothing, such as "10g"');
    await expect(refused({ password: "" })).rejects.toThrow('option "password" has a value that cannot be');
    expect(await driver.list()).toEqual([]);
    await driver.create("data", { options: { password } });
    const shown = JSON.stringify([await driver.list(), await driver.get("data")]);
    expect(shown).toContain('"password":"***"');
    expect(shown).not.toContain(password);
    const failure = await driver.mount("data", "c").catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ message: 'volume "data" cannot be mounted: server says: *** is wrong' });
    expect((failure as Error).cause).toBeUndefined();
    expect(await readFile(join(folder, "state/records"), "utf8")).toContain(password); // 0600, in 0700
  });

  it("that fail to be created are not there, and may be created again", async () => {
    let fails = true;
    const driver = await start({
      create: async () => {
        if (fails) throw new Error("no room");
      },
    });
    await expect(driver.create("data")).rejects.toThrow('volume "data" cannot be created: no room');
    expect(told).toEqual(["remove data"]);
    expect([await driver.list(), await readdir(join(folder, "volumes"))]).toEqual([[], []]);
    fails = false;
    await driver.create("data");
    expect(await driver.list()).toMatchObject([{ name: "data" }]);
  });

  it("that are removed while others are being deleted are deleted together, by one process", async () => {
    const driver = await start();
    const names = Array.from({ length: 20 }, (_, at) => `volume-${at}`);
    for (const name of names) await driver.create(name);
    let goOn = () => {};
    removeTrees.mockImplementationOnce(() => new Promise<void>((resolve) => (goOn = resolve)));
    for (const name of names) await driver.remove(name);
    await vi.waitFor(() => expect(removeTrees).toHaveBeenCalledTimes(1));
    goOn();
    await vi.waitFor(async () => expect(await readdir(join(folder, "trash"))).toEqual([]));
    expect(removeTrees).toHaveBeenCalledTimes(2);
  });

  it("of which one cannot be deleted start no process for each that is removed meanwhile", async () => {
    const driver = await start();
    const names = Array.from({ length: 20 }, (_, at) => `volume-${at}`);
    for (const name of names) await driver.create(name);
    let goOn = () => {};
    removeTrees.mockImplementation(async (paths) => {
      await new Promise<void>((resolve) => (goOn = resolve));
      throw new CleatError("UNKNOWN", `${paths.length} cannot be deleted`);
    });
    for (const name of names) await driver.remove(name);
    for (let times = 1; times <= 2; times++) {
      await vi.waitFor(() => expect(removeTrees).toHaveBeenCalledTimes(times));
      goOn();
    }
    for (const name of names) await driver.create(name); // what takes longer than to look into the trash
    expect(removeTrees).toHaveBeenCalledTimes(2);
    expect(removeTrees.mock.lastCall?.[0]).toHaveLength(20);
  });
});

describe("a folder in which others keep something", () => {
  const theirs = async (path: string) => {
    await mkdir(join(folder, path), { recursive: true });
    await writeFile(join(folder, path, "file"), "theirs");
    return () => readFile(join(folder, path, "file"), "utf8");
  };

  it("keeps what is in a trash that is not the driver's", async () => {
    const read = await theirs("trash/theirs");
    const discarded = join(folder, "trash", "0".repeat(32));
    await mkdir(discarded);
    await start();
    await vi.waitUntil(() => !existsSync(discarded));
    await open?.close();
    expect(await read()).toBe("theirs");
  });

  it("is never taken for a new volume's, nor deleted with it", async () => {
    const read = await theirs("volumes/data");
    const why = `"${folder}/volumes/data" is there already, and no volume's; move it away`;
    const message = `volume "data" cannot be created: ${why}`;
    for (const again of [start, start]) {
      const driver = await again();
      await expect(driver.create("data")).rejects.toMatchObject({ code: "FAILED_PRECONDITION", message });
      await expect(driver.remove("data")).rejects.toMatchObject({ code: "NOT_FOUND" });
    }
    expect(told).toEqual([]);
    expect(await read()).toBe("theirs");
  });
});

describe("a backend that hangs", () => {
  it("costs its own calls a deadline, and no other volume anything", async () => {
    const driver = await start({
      timeoutMs: 100,
      mount: ({ name, folder: own }, { signal }) =>
        name === "data"
          ? new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)))
          : Promise.resolve(own),
    });
    const others = Array.from({ length: 19 }, (_, index) => `other${index}`);
    for (const name of ["data", ...others]) await driver.create(name);
    const hung = driver.mount("data", "c");
    await Promise.all(others.map((name) => driver.mount(name, "c")));
    await expect(hung).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(told.at(-1)).toBe("unmount data");
  });

  it("goes on for an engine that has given up, which finds the mount when it asks again", async () => {
    let finish: (path: string) => void = () => {};
    let begin = () => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const mount = () => (begin(), new Promise<string>((resolve) => (finish = resolve)));
    const driver = await start({ mount });
    await driver.create("data");
    const engine = new AbortController();
    const given = driver.mount("data", "c", { signal: engine.signal });
    await begun;
    engine.abort();
    await expect(given).rejects.toMatchObject({ code: "CANCELLED" });
    const again = driver.mount("data", "c");
    finish("/somewhere");
    expect(await again).toBe("/somewhere");
    expect(driver.holders("data")).toEqual(["c"]);
  });
});

describe("a copy that takes longer than any call", () => {
  /** Copies until it is told to end, or not to go on. */
  const startCopying = async (whileMounts: boolean) => {
    const copies: { readonly end: () => void }[] = [];
    const create: Backend["create"] = async ({ name, folder: own, options: { label } }, { withVolume, signal }) => {
      told.push(`create ${name}`);
      if (label === undefined) return;
      await withVolume(
        label,
        async () => {
          await writeFile(join(own, "half"), "");
          await new Promise<void>((resolve, reject) => {
            copies.push({ end: resolve });
            signal.addEventListener("abort", () => reject(signal.reason as Error));
          });
        },
        { whileMounts },
      );
    };
    const driver = await start({ create, timeoutMs: 50 });
    await driver.create("source");
    const copy = (timeoutMs: number) => driver.create("copy", { options: { label: "source" } }, { timeoutMs });
    return { driver, copies, copy };
  };

  it("goes on, and is found by who asks again", async () => {
    const { driver, copies, copy } = await startCopying(true);
    await expect(copy(1_000)).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      message: 'volume "copy" is still being made; it goes on, so ask again',
    });
    expect((await driver.list()).map(({ name }) => name)).toEqual(["source"]);
    const again = [copy(30_000), copy(30_000)];
    // Its source may be used, and not removed.
    expect(await driver.mount("source", "c")).toBe(join(folder, "volumes/source"));
    await driver.unmount("source", "c");
    await expect(driver.remove("source")).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: 'volume "source" is in use: another is being made from it',
    });
    expect(copies).toHaveLength(1);
    copies[0]?.end();
    await Promise.all(again);
    expect(told.filter((line) => line === "create copy")).toHaveLength(1);
    await driver.remove("source");
    expect((await driver.list()).map(({ name }) => name)).toEqual(["copy"]);
  });

  it("ends when it is removed, when the driver is closed, and leaves nothing", async () => {
    const { driver, copies, copy } = await startCopying(true);
    const removed = copy(30_000);
    await vi.waitUntil(() => copies.length === 1);
    await Promise.all([expect(removed).rejects.toMatchObject({ code: "CANCELLED" }), driver.remove("copy")]);
    expect(await readdir(join(folder, "volumes"))).toEqual(["source"]);
    const closed = copy(30_000);
    await vi.waitUntil(() => copies.length === 2);
    await Promise.all([expect(closed).rejects.toMatchObject({ code: "CANCELLED" }), driver.close()]);
    const next = await start();
    expect((await next.list()).map(({ name }) => name)).toEqual(["source"]);
    await vi.waitUntil(async () => (await readdir(join(folder, "volumes"))).length === 1);
  });

  it("keeps a source from being mounted that must not be", async () => {
    const { driver, copies, copy } = await startCopying(false);
    const made = copy(30_000);
    await vi.waitUntil(() => copies.length === 1);
    await expect(driver.mount("source", "c", { timeoutMs: 50 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    copies[0]?.end();
    await made;
    await driver.mount("source", "c");
  });
});

it("a driver of several types has each volume's own options", async () => {
  const driver = await openManagedVolumes({
    name: "test",
    folder,
    types: {
      plain: { options: {}, mount: async ({ folder: own }) => own },
      sized: { options: { size: sizeOption() }, mount: async ({ options: { size } }) => `/of/${size}` },
    },
    defaultType: "plain",
  });
  open = driver;
  await driver.create("a");
  await driver.create("b", { options: { type: "sized", size: "1k" } });
  expect(await driver.mount("b", "c")).toBe("/of/1024");
  expect((await driver.list()).map(({ status }) => status)).toEqual([
    { Type: "plain", Options: {}, Mounts: 0 },
    { Type: "sized", Options: { size: "1k" }, Mounts: 1 },
  ]);
  await expect(driver.create("c", { options: { type: "sized" } })).rejects.toThrow('option "size" is needed');
  await expect(driver.create("c", { options: { type: "nfs" } })).rejects.toThrow(
    'option "type": "nfs" is unknown; known are plain, sized',
  );
});
