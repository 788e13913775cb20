import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UnsupportedError } from "../errors/index.ts";
import type { GraphDriver, GraphDriverFactory } from "../graphdriver/index.ts";
import { silentLogger } from "../transport/index.ts";
import { selectDriver } from "./graph-drivers.ts";

/** What stands for the drivers of Cleat: `overlay2` works where a test says so. */
const { drivers, state } = vi.hoisted(() => ({ drivers: [] as GraphDriverFactory[], state: { works: true } }));

vi.mock("../graphdriver/index.ts", async (original) => ({
  ...(await original<typeof import("../graphdriver/index.ts")>()),
  builtInFactories: drivers,
}));

// Here and not in the first test, whose time a busy machine may need for it.
await import("../graphdriver/index.ts");

function factory(name: string, isSupported: () => boolean): GraphDriverFactory {
  return {
    name,
    probe: async () => {
      const missing = { needed: "a kernel", probed: "it", seen: "none" };
      return { obstacle: isSupported() ? undefined : new UnsupportedError(name, missing), features: [] };
    },
    open: async () => ({ name }) as unknown as GraphDriver,
  };
}
drivers.push(
  factory("overlay2", () => state.works),
  factory("vfs", () => true),
);

let folder: string;
beforeEach(async () => {
  state.works = true;
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
});
afterEach(() => rm(folder, { recursive: true }));

const cost = "vfs copies every layer in full (reflinks where the file system has them)";

describe("the driver to serve", () => {
  it("is the one that is named, whether or not it works", async () => {
    state.works = false;
    expect(await selectDriver("overlay2", folder, silentLogger)).toMatchObject({
      driverName: "overlay2",
      note: undefined,
    });
    expect(await selectDriver("vfs", folder, silentLogger)).toMatchObject({ driverName: "vfs", note: cost });
  });

  it("is none of another name: plugins are not served a second time", async () => {
    await expect(selectDriver("cleat", folder, silentLogger)).rejects.toMatchObject({
      name: "UsageError",
      message: 'there is no driver "cleat"; there are overlay2, vfs and auto',
    });
  });

  it("is by default the best that works, and what it costs is said", async () => {
    expect(await selectDriver("auto", folder, silentLogger)).toMatchObject({ driverName: "overlay2", note: undefined });
    state.works = false;
    expect(await selectDriver("auto", folder, silentLogger)).toMatchObject({
      driverName: "vfs",
      note: `overlay2 needs a kernel: probed it, saw none; ${cost}`,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it("is by default that whose layers are there", async () => {
    await mkdir(join(folder, "dir/a"), { recursive: true });
    expect(await selectDriver("auto", folder, silentLogger)).toMatchObject({
      driverName: "vfs",
      note: `its layers are there; ${cost}`,
    });
    await mkdir(join(folder, "l"));
    await writeFile(join(folder, "l/A"), "");
    state.works = false;
    await expect(selectDriver("auto", folder, silentLogger)).rejects.toMatchObject({
      code: "UNIMPLEMENTED",
      message: `"${folder}" holds layers of overlay2, which does not work now: overlay2 needs a kernel: probed it, saw none`,
    });
  });

  it("is decided anew for each home, and said in the log", async () => {
    const logged: object[] = [];
    const logger = { ...silentLogger, info: (fields: object) => void logged.push(fields) };
    const { factory: automatic, driverName } = await selectDriver("auto", folder, logger);
    state.works = false;
    const driver = await automatic.open({ home: join(folder, "engine/cleat") });
    expect([driverName, driver.name]).toEqual(["overlay2", "vfs"]);
    expect(logged).toMatchObject([{ driver: "vfs", folder, note: expect.stringContaining("overlay2 needs a kernel") }]);
  });
});
