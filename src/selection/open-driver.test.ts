import { describe, expect, it } from "vitest";
import { CleatError, PluginNotFoundError } from "../errors/index.ts";
import { pluginProtocol } from "../protocol/index.ts";
import { createHandler, createMemoryTransport, implement } from "../transport/index.ts";
import type { GraphDriver } from "../graphdriver/driver.ts";
import type { GraphDriverFactory, OpenOptions } from "../graphdriver/driver-factory.ts";
import { createDriverRegistry, type GraphDriverPlugins, openDriver } from "./index.ts";
import { createGraphDriverPlugin } from "../graphdriver/index.ts";

const notAsked = async (): Promise<never> => {
  throw new CleatError("UNIMPLEMENTED", "this driver has no such method");
};
const unusable = {
  create: notAsked,
  createReadWrite: notAsked,
  remove: notAsked,
  get: notAsked,
  put: notAsked,
  exists: notAsked,
  metadata: notAsked,
  diff: notAsked,
  changes: notAsked,
  applyDiff: notAsked,
  diffSize: notAsked,
  cleanup: notAsked,
  close: notAsked,
};

/** A driver that only says where it was opened. */
const factory = (name: string): GraphDriverFactory => ({
  name,
  open: async ({ home, options = [] }: OpenOptions) => {
    const driver: Partial<GraphDriver> = {
      ...unusable,
      name,
      capabilities: {
        reproducesExactDiffs: false,
        mounts: true,
        enforcesSize: false,
        protectsParents: false,
        maxDepth: 1,
      },
      status: async () => [[home, options.join()]],
    };
    return driver as GraphDriver;
  },
});

const { service } = createGraphDriverPlugin({ open: factory("remote").open, defaultHome: "/unused" });
const activation = implement(pluginProtocol, { activate: async () => ({ Implements: ["GraphDriver"] }) });
const plugins: GraphDriverPlugins = {
  async get(name) {
    if (name !== "mine") throw new PluginNotFoundError(name, ["/run/docker/plugins/x.sock"]);
    return { transport: createMemoryTransport(createHandler([activation, service])) };
  },
};
const common = { root: "/data", drivers: createDriverRegistry([factory("builtin")]), plugins };

describe("openDriver", () => {
  it("opens the driver of that name", async () => {
    const driver = await openDriver({ ...common, name: "builtin", options: ["a=b"] });
    expect(await driver.status()).toEqual([["/data/builtin", "a=b"]]);
  });

  it("opens the plugin of that name where no driver has it", async () => {
    const driver = await openDriver({ ...common, name: "mine", options: ["a=b"] });
    expect(driver.name).toBe("mine");
    expect(await driver.status()).toEqual([["/data/mine", "a=b"]]);
  });

  it("says of a name that nobody has what was tried", async () => {
    await expect(openDriver({ ...common, name: "aufs" })).rejects.toMatchObject({
      code: "NOT_FOUND",
      message:
        'graph driver "aufs" is none of builtin, and plugin "aufs" is not there: looked for /run/docker/plugins/x.sock',
    });
    await expect(openDriver({ root: "/data", name: "aufs" })).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: 'graph driver "aufs" is none of overlay2, fuse-overlayfs, btrfs, vfs',
    });
  });

  it("does not hide that a plugin is there and does not work", async () => {
    const broken: GraphDriverPlugins = {
      get: async () => {
        throw new CleatError("UNAVAILABLE", "nobody answers");
      },
    };
    await expect(openDriver({ ...common, name: "mine", plugins: broken })).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
  });

  it.each(["builtin", "mine", undefined])(
    "refuses a root that is relative, whatever is to be opened: %j",
    async (name) => {
      const options = { ...common, root: "data", ...(name !== undefined && { name }) };
      await expect(openDriver(options)).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining('"data"'),
      });
    },
  );

  it.each(["../x", "", "a/b"])("refuses the name %j", async (name) => {
    await expect(openDriver({ ...common, name })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});
