import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CleatError, UnsupportedError, type UnsupportedReason } from "../errors/index.ts";
import type { GraphDriver } from "../graphdriver/driver.ts";
import type { GraphDriverFactory } from "../graphdriver/driver-factory.ts";
import { createAutomaticDriver, createDriverRegistry, decideDriver, openDriver } from "./index.ts";

type Fault = UnsupportedReason | CleatError | undefined;

interface Behaviour {
  readonly probe?: UnsupportedReason | "none";
  readonly open?: Fault;
}

/** A driver that says where it was probed and opened. */
function factory(name: string, { probe, open }: Behaviour = {}): GraphDriverFactory {
  const lack = (reason: UnsupportedReason) =>
    new UnsupportedError(name, { reason, needed: "it", probed: "so", seen: "nothing" });
  return {
    name,
    ...(probe !== "none" && {
      probe: async () => ({ obstacle: probe === undefined ? undefined : lack(probe), features: [] }),
    }),
    open: async ({ home }) => {
      if (open instanceof CleatError) throw open;
      if (open !== undefined) throw lack(open);
      return { name, status: async () => [["Home", home]] } as unknown as GraphDriver;
    },
  };
}

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cleat-"));
});
afterEach(() => rm(root, { recursive: true }));

async function fill(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const full = join(root, path);
    await mkdir(path.endsWith("/") ? full : dirname(full), { recursive: true });
    if (!path.endsWith("/")) await writeFile(full, path.endsWith("driver.json") ? recordOf(path) : "");
  }
}

/** What stands before `.cleat` names the driver: `btrfs/.cleat/driver.json`. */
const recordOf = (path: string) => JSON.stringify({ version: 1, driver: path.split("/")[0] });

type Case = readonly [
  title: string,
  drivers: readonly GraphDriverFactory[],
  files: readonly string[],
  outcome: unknown,
];

const failed = (code: string, ...texts: string[]) => ({ code, texts });

const ours = [factory("vfs"), factory("btrfs"), factory("overlay2"), factory("fuse-overlayfs")];
const without = (name: string, behaviour: Behaviour) => [
  ...ours.filter((driver) => driver.name !== name),
  factory(name, behaviour),
];

describe("a root that holds nothing", () => {
  const cases: readonly Case[] = [
    ["gets the first of the list", ours, [], "overlay2"],
    [
      "gets the next one where the first is not supported",
      without("overlay2", { probe: "not-supported" }),
      [],
      "fuse-overlayfs",
    ],
    ["or lacks something", without("overlay2", { probe: "prerequisites" }), [], "fuse-overlayfs"],
    ["or cannot use the file system", without("overlay2", { probe: "incompatible-file-system" }), [], "fuse-overlayfs"],
    ["or finds that out only now", without("overlay2", { open: "not-supported" }), [], "fuse-overlayfs"],
    [
      "is not given to the next one when the first fails otherwise",
      without("overlay2", { open: new CleatError("RESOURCE_EXHAUSTED", "the disk is full") }),
      [],
      failed("RESOURCE_EXHAUSTED", "the disk is full"),
    ],
    ["gets vfs when nothing else works", [factory("vfs"), factory("overlay2", { probe: "prerequisites" })], [], "vfs"],
    [
      "gets what is registered beside the list after that",
      [factory("mine"), factory("vfs", { probe: "prerequisites" })],
      [],
      "mine",
    ],
    ["gets what is in the list before that", [factory("mine"), factory("vfs")], [], "vfs"],
    [
      "gets them in the order of registration",
      [factory("mine", { probe: "not-supported" }), factory("z"), factory("a")],
      [],
      "z",
    ],
    [
      "gets a driver without a probe by opening it",
      [factory("mine", { probe: "none", open: "prerequisites" }), factory("other", { probe: "none" })],
      [],
      "other",
    ],
    [
      "is told why nothing works",
      [factory("overlay2", { probe: "prerequisites" }), factory("vfs", { probe: "prerequisites" })],
      [],
      failed("UNIMPLEMENTED", "no graph driver works in", "overlay2 needs it: probed so, saw nothing; vfs needs it"),
    ],
    ["is told that nothing is registered", [], [], failed("UNIMPLEMENTED", "none is registered")],
  ];
  it.each(cases)("%s", expectOutcome);
});

describe("a root that holds layers", () => {
  const cases: readonly Case[] = [
    ["keeps their driver", ours, ["btrfs/subvolumes/a/"], "btrfs"],
    ["keeps one that Cleat recorded, without a layer", ours, ["btrfs/.cleat/driver.json"], "btrfs"],
    ["keeps one beside the list", [...ours, factory("mine")], ["mine/layers"], "mine"],
    [
      "is refused when that does not work now",
      without("btrfs", { probe: "prerequisites" }),
      ["btrfs/subvolumes/a/"],
      failed("UNIMPLEMENTED", "holds layers of btrfs, which does not work now: btrfs needs it"),
    ],
    [
      "is refused when that says so only now",
      without("btrfs", { open: "prerequisites" }),
      ["btrfs/subvolumes/a/"],
      failed("UNIMPLEMENTED", "btrfs needs it"),
    ],
    [
      "is refused when there are several",
      ours,
      ["btrfs/subvolumes/a/", "overlay2/l/A"],
      failed("FAILED_PRECONDITION", "holds layers of several drivers, btrfs, overlay2: name the driver to open"),
    ],
    ["does not keep vfs", ours, ["vfs/dir/a/"], "overlay2"],
    ["does not count vfs among several", ours, ["vfs/dir/a/", "btrfs/subvolumes/a/"], "btrfs"],
    ["does not count a folder with nothing in it", ours, ["btrfs/"], "overlay2"],
    [
      "nor one where a driver could not go on",
      ours,
      ["btrfs/.cleat/staging/", "btrfs/subvolumes/", "btrfs/.cleat/lock"],
      "overlay2",
    ],
    ["counts what it cannot look into", ours, ["btrfs"], "btrfs"],
    ["does not count what is not a driver's", ours, ["image/btrfs/x", "volumes/a"], "overlay2"],
    ...["zfs", "aufs", "overlay", "devicemapper"].map((name): Case => [
      `is refused when they are of ${name}`,
      ours,
      [`${name}/graph/a`],
      failed("FAILED_PRECONDITION", `holds layers of ${name}, a driver that is not built in`),
    ]),
    ["takes a registered driver for its own, whatever its name", [...ours, factory("zfs")], ["zfs/graph/a"], "zfs"],
  ];
  it.each(cases)("%s", expectOutcome);
});

async function expectOutcome(
  _title: string,
  drivers: readonly GraphDriverFactory[],
  files: readonly string[],
  outcome: unknown,
): Promise<void> {
  await fill(files);
  const registry = createDriverRegistry(drivers);
  const opened = openDriver({ root, drivers: registry });
  if (typeof outcome === "string") {
    expect(await (await opened).status()).toEqual([["Home", join(root, outcome)]]);
    return;
  }
  const { code, texts } = outcome as ReturnType<typeof failed>;
  const error: unknown = await opened.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code });
  for (const text of texts) expect((error as Error).message).toContain(text);
}

describe("the home that an engine names", () => {
  const home = () => join(root, "home");
  const open = async (drivers: readonly GraphDriverFactory[] = ours) => {
    const told: string[] = [];
    const automatic = createAutomaticDriver(createDriverRegistry(drivers), ({ choices }) => told.push(...choices));
    const driver = await automatic.open({ home: home() });
    expect(told[0]).toBe(driver.name);
    return driver.name;
  };

  it.each([
    ["nothing", [], "overlay2"],
    ["overlay2's links", ["home/l/A"], "overlay2"],
    ["overlay2's links, and a layer called as another's folder", ["home/l/A", "home/dir/diff/"], "overlay2"],
    ["subvolumes", ["home/subvolumes/a/"], "btrfs"],
    ["whole trees", ["home/dir/a/"], "vfs"],
    ["folders with nothing in them", ["home/l/", "home/dir/"], "overlay2"],
  ])("that holds %s is its driver's", async (_what, files, name) => {
    await fill(files);
    expect(await open()).toBe(name);
  });

  it("with a record is the recorded driver's, whatever the layout", async () => {
    await fill(["home/l/A"]);
    await mkdir(join(home(), ".cleat"));
    await writeFile(join(home(), ".cleat/driver.json"), '{"version":1,"driver":"fuse-overlayfs"}');
    expect(await open()).toBe("fuse-overlayfs");
  });

  it("with layouts of several drivers is refused", async () => {
    await fill(["home/subvolumes/a/", "home/dir/a/"]);
    await expect(open()).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining("several drivers, btrfs, vfs"),
    });
  });

  it("of zfs is refused, by name", async () => {
    await fill(["home/graph/a/"]);
    await expect(open()).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining("layers of zfs, a driver that is not built in"),
    });
  });

  it("with a damaged record is refused", async () => {
    await mkdir(join(home(), ".cleat"), { recursive: true });
    await writeFile(join(home(), ".cleat/driver.json"), '{"version":2}');
    await expect(open()).rejects.toMatchObject({ code: "DATA_LOSS" });
  });
});

describe("a decision", () => {
  it("tells of each driver why it is not the one, and makes nothing", async () => {
    const registry = createDriverRegistry(without("overlay2", { probe: "prerequisites" }));
    const place = join(root, "a/b");
    const { folder, prior, choices, candidates } = await decideDriver({ root: place }, registry);
    expect({ folder, prior, choices }).toEqual({
      folder: root,
      prior: [],
      choices: ["fuse-overlayfs", "btrfs", "vfs"],
    });
    expect(candidates.map(({ driver, registered, obstacle }) => [driver, registered, obstacle?.reason])).toEqual([
      ["overlay2", true, "prerequisites"],
      ["fuse-overlayfs", true, undefined],
      ["btrfs", true, undefined],
      ["zfs", false, undefined],
      ["vfs", true, undefined],
    ]);
    expect(await readdir(root)).toEqual([]);
  });

  it("says that a root must be an absolute path, and a folder one may look into", async () => {
    const drivers = createDriverRegistry(ours);
    await expect(openDriver({ root: "layers", drivers })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await fill(["file"]);
    await expect(openDriver({ root: join(root, "file/layers"), drivers })).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining(join(root, "file")),
    });
  });
});

it("a registry does not take two drivers of one name", () => {
  expect(() => createDriverRegistry([factory("a"), factory("b"), factory("a")])).toThrow(
    'graph driver "a" is registered already',
  );
});

it("refuses a place that is a symlink to nothing, or lies below one: no driver could make it", async () => {
  await symlink("gone", join(root, "link"));
  const registry = createDriverRegistry(ours);
  for (const home of [join(root, "link"), join(root, "link/below")]) {
    await expect(decideDriver({ home }, registry)).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: `folder "${root}/link" is a symlink to "gone", which is not there`,
    });
  }
});
