import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { UnsupportedError } from "../../../errors/index.ts";
import { optionKinds } from "../../../graphdriver/driver-options.ts";
import type { DriverOptionTable, GraphDriver, GraphDriverFactory } from "../../../graphdriver/index.ts";
import { type Logger, silentLogger } from "../../../transport/index.ts";
import { type DriverWish, selectDriver } from "./graph-drivers.ts";

/** What stands for the drivers of Cleat: `overlay2` works where a test says so. */
const { drivers, state } = vi.hoisted(() => ({ drivers: [] as GraphDriverFactory[], state: { works: true } }));

vi.mock("../../../selection/index.ts", async (original) => ({
  ...(await original<typeof import("../../../selection/index.ts")>()),
  builtInFactories: drivers,
}));

// Here and not in the first test, whose time a busy machine may need for it.
await import("../../../graphdriver/index.ts");

function factory(
  name: string,
  isSupported: () => boolean,
  { options, cost }: { readonly options: DriverOptionTable; readonly cost?: string },
): GraphDriverFactory {
  return {
    name,
    options,
    ...(cost !== undefined && { cost }),
    probe: async () => {
      const missing = { needed: "a kernel", probed: "it", seen: "none" };
      return { obstacle: isSupported() ? undefined : new UnsupportedError(name, missing), features: [] };
    },
    open: async () => ({ name }) as unknown as GraphDriver,
  };
}
drivers.push(
  factory("overlay2", () => state.works, {
    options: { "overlay2.size": { name: "sizeBytes", ...optionKinds.size, help: "" } },
  }),
  factory("vfs", () => true, {
    options: { "vfs.flag": { name: "flag", ...optionKinds.boolean, help: "" } },
    cost: "takes much room",
  }),
);

let folder: string;
beforeEach(async () => {
  state.works = true;
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
});
afterEach(() => rm(folder, { recursive: true }));

const select = (driver: string, wish: Partial<DriverWish> = {}, logger: Logger = silentLogger) =>
  selectDriver({ driver, home: undefined, root: folder, options: [], ...wish }, logger);

const cost = "vfs takes much room";

describe("the driver to serve", () => {
  it("is the one that is named, where an engine names the home, and what is in its way here is said", async () => {
    expect(await select("overlay2")).toMatchObject({ driverName: "overlay2", note: undefined });
    state.works = false;
    expect(await select("overlay2")).toMatchObject({
      driverName: "overlay2",
      note: `overlay2 does not work in "${folder}": overlay2 needs a kernel: probed it, saw none`,
    });
    expect(await select("vfs")).toMatchObject({ driverName: "vfs", note: cost });
  });

  it("is refused in a home where it cannot work, or that holds layers of another", async () => {
    const home = join(folder, "home/not/there");
    expect(await select("overlay2", { home })).toMatchObject({ driverName: "overlay2", note: undefined });
    await mkdir(join(folder, "other/.cleat"), { recursive: true });
    await writeFile(join(folder, "other/.cleat/driver.json"), '{"version":1,"driver":"btrfs"}');
    await expect(select("vfs", { home: join(folder, "other") })).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining("holds layers of btrfs, not of vfs"),
    });
    await writeFile(join(folder, "other/.cleat/driver.json"), '{"version":1,"driver":"vfs","door":"snapshotter"}');
    await expect(select("vfs", { home: join(folder, "other") })).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining("holds a snapshotter's layers"),
    });
    state.works = false;
    await expect(select("overlay2", { home })).rejects.toMatchObject({
      code: "UNIMPLEMENTED",
      message: `overlay2 does not work in "${home}": overlay2 needs a kernel: probed it, saw none`,
    });
    await writeFile(join(folder, "file"), "");
    await expect(select("vfs", { home: join(folder, "file") })).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(await readdir(folder)).toEqual(["file", "other"]);
  });

  it.each([
    ["overlay2", {}, "foo", 'overlay2: option "foo" is not of the form key=value; there are overlay2.size'],
    ["overlay2", {}, "unknown=1", 'overlay2: unknown option "unknown"; there are overlay2.size'],
    ["overlay2", {}, "overlay2.size=much", 'option "overlay2.size": "much" is not a size, like 10G or 512m'],
    ["auto", {}, "unknown=1", 'auto: unknown option "unknown"; there are overlay2.size, vfs.flag'],
    [
      "auto",
      { home: "/nonexistent/home" },
      "vfs.flag=1",
      'overlay2: unknown option "vfs.flag"; there are overlay2.size',
    ],
  ])("%s %j is refused with --opt %s", async (driver, place, option, message) => {
    await expect(select(driver, { ...place, options: [option] })).rejects.toMatchObject({
      name: "UsageError",
      message,
    });
  });

  it("may take any driver's options where an engine names the home", async () => {
    const options = ["vfs.flag=1", "overlay2.size=1G"];
    expect(await select("auto", { options })).toMatchObject({ driverName: "overlay2" });
  });

  it("is none of another name: plugins are not served a second time", async () => {
    await expect(select("cleat")).rejects.toMatchObject({
      name: "UsageError",
      message: 'there is no driver "cleat"; there are overlay2, vfs and auto',
    });
  });

  it("is by default the best that works, and what it costs is said", async () => {
    expect(await select("auto")).toMatchObject({ driverName: "overlay2", note: undefined });
    state.works = false;
    expect(await select("auto")).toMatchObject({
      driverName: "vfs",
      note: `overlay2 needs a kernel: probed it, saw none; ${cost}`,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it("is by default that whose layers are there", async () => {
    await mkdir(join(folder, "dir/a"), { recursive: true });
    expect(await select("auto")).toMatchObject({
      driverName: "vfs",
      note: `its layers are there; ${cost}`,
    });
    await mkdir(join(folder, "l"));
    await writeFile(join(folder, "l/A"), "");
    state.works = false;
    await expect(select("auto")).rejects.toMatchObject({
      code: "UNIMPLEMENTED",
      message:
        `"${folder}" holds layers of overlay2, which does not work now: overlay2 needs a kernel: probed it, ` +
        "saw none",
    });
  });

  it("is decided anew for each home, and said in the log", async () => {
    const logged: object[] = [];
    const logger = { ...silentLogger, info: (fields: object) => void logged.push(fields) };
    const { factory: automatic, driverName } = await select("auto", {}, logger);
    state.works = false;
    const driver = await automatic.open({ home: join(folder, "engine/cleat") });
    expect([driverName, driver.name]).toEqual(["overlay2", "vfs"]);
    expect(logged).toMatchObject([{ driver: "vfs", folder, note: expect.stringContaining("overlay2 needs a kernel") }]);
  });
});
