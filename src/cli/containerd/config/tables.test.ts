import { describe, expect, it } from "vitest";
import { composeConfig } from "./compose.ts";
import { containerdPlatform, type SnapshotterRequest } from "./tables.ts";
import { parseToml, valueAt } from "./toml-text.ts";
import { parseVersion } from "./versions.ts";

type Options = Partial<Omit<SnapshotterRequest, "version" | "configVersion">>;

function blockFor(version: string, options: Options = {}, text?: string) {
  const request = {
    version: parseVersion(version),
    socket: "/run/cleat/snapshotter.sock",
    root: "/layers",
    platform: "linux/amd64",
    canRebase: false,
    cri: false,
    criRuntimes: [],
    transfer: false,
    diff: false,
    ...options,
  };
  return composeConfig(request, text, "config.toml");
}

/** What containerd reads. */
function configFor(version: string, options: Options = {}, text?: string) {
  return parseToml(`${text ?? ""}${blockFor(version, options, text).block}`, "it");
}

const proxy = ["proxy_plugins", "cleat"];
const unpackConfig = ["plugins", "io.containerd.transfer.v1.local", "unpack_config"];

describe("the tables for containerd", () => {
  it.each([
    ["1.6.20", 2, ["address", "type"]],
    ["1.6.32", 2, ["address", "exports", "type"]],
    ["1.7.24", 2, ["address", "exports", "platform", "type"]],
    ["2.1.9", 3, ["address", "exports", "platform", "type"]],
  ])("%s are of config version %s and have the keys that it knows", (version, configVersion, keys) => {
    const config = configFor(version);
    expect(config["version"]).toBe(configVersion);
    const table = valueAt(config, proxy) as object;
    expect(Object.keys(table).toSorted()).toEqual(keys);
    expect(table).toMatchObject({ type: "snapshot", address: "/run/cleat/snapshotter.sock" });
    expect(config["plugins"]).toBeUndefined();
  });

  it("announce rebase where the driver can, from 2.2 on", () => {
    expect(valueAt(configFor("2.2.0", { canRebase: true }), [...proxy, "capabilities"])).toEqual(["rebase"]);
    expect(valueAt(configFor("2.2.0"), [...proxy, "capabilities"])).toBeUndefined();
    expect(valueAt(configFor("2.1.9", { canRebase: true }), [...proxy, "capabilities"])).toBeUndefined();
  });

  it("have a diff proxy where containerd starts with one, and name the built-in differ then", () => {
    const config = configFor("1.7.24", { diff: true });
    expect(valueAt(config, ["proxy_plugins", "cleat-diff", "type"])).toBe("diff");
    expect(valueAt(config, ["plugins", "io.containerd.service.v1.diff-service", "default"])).toEqual([
      "cleat-diff",
      "walking",
    ]);
    expect(valueAt(config, unpackConfig)).toEqual(
      ["overlayfs", "cleat"].map((snapshotter) => ({ platform: "linux/amd64", differ: "walking", snapshotter })),
    );
    for (const version of ["1.6.20", "1.7.3"]) {
      expect(() => blockFor(version, { diff: true })).toThrow(
        `containerd ${version} does not start where a diff proxy is configured; 1.7.4 and later do`,
      );
    }
  });

  it("keep the built-in snapshotter in the list for pulls, but add only Cleat's to a list that is there", () => {
    const list = '[[plugins."io.containerd.transfer.v1.local".unpack_config]]\nsnapshotter = "zfs"\n';
    expect(valueAt(configFor("2.1.9", { transfer: true }, `version = 3\n${list}`), unpackConfig)).toMatchObject([
      { snapshotter: "zfs" },
      { snapshotter: "cleat" },
    ]);
    expect(() => blockFor("1.6.20", { transfer: true })).toThrow("has no transfer service; 1.7.0 and later have one");
  });

  it.each([
    ["1.6.20", ["plugins", "io.containerd.grpc.v1.cri", "containerd"], false],
    ["2.0.5", ["plugins", "io.containerd.cri.v1.images"], false],
    ["2.1.9", ["plugins", "io.containerd.cri.v1.images"], true],
  ])("%s set Kubernetes' snapshotter, and the way on which it pulls", (version, path, transfers) => {
    const config = configFor(version, { cri: true });
    expect(valueAt(config, path)).toEqual({ snapshotter: "cleat" });
    expect(valueAt(config, unpackConfig) !== undefined).toBe(transfers);
  });

  it("follow the version of a file that is there", () => {
    const options = { criRuntimes: ["runc"] };
    const runtime = ["plugins", "io.containerd.grpc.v1.cri", "containerd", "runtimes", "runc", "snapshotter"];
    expect(valueAt(configFor("2.1.9", options, "version = 2\n"), runtime)).toBe("cleat");
    expect(valueAt(configFor("2.1.9", options, "version = 3\n"), runtime)).toBeUndefined();
    expect(() => blockFor("1.7.24", {}, "version = 3\n")).toThrow("does not read files of config version 3");
    expect(() => blockFor("1.7.24", { cri: true }, "root = '/x'\n")).toThrow(
      /config\.toml is of config version 1, .*: write "version = 2" at its top/,
    );
    expect(valueAt(configFor("1.7.24", {}, "root = '/x'\n"), [...proxy, "type"])).toBe("snapshot");
  });

  it("give a runtime of Kubernetes' a snapshotter of its own", () => {
    const runtime = ["plugins", "io.containerd.grpc.v1.cri", "containerd", "runtimes", "runc"];
    const own = { runtime_type: "io.containerd.runc.v2", snapshotter: "cleat" };
    expect(valueAt(configFor("1.7.24", { criRuntimes: ["runc"] }), runtime)).toEqual(own);
    const config = configFor("2.1.9", { criRuntimes: ["runc"] });
    expect(valueAt(config, runtime.with(1, "io.containerd.cri.v1.runtime"))).toEqual(own);
    const images = ["plugins", "io.containerd.cri.v1.images", "runtime_platforms", "runc", "snapshotter"];
    expect(valueAt(config, images)).toBe("cleat");
    expect(() => blockFor("1.6.40", { criRuntimes: ["runc"] })).toThrow("no snapshotters for single runtimes");
  });
});

describe("a file that says it already", () => {
  it("gets nothing more", () => {
    const text = `version = 3\n${blockFor("2.1.9", { cri: true, diff: true }, "version = 3\n").block}`;
    expect(blockFor("2.1.9", { cri: true, diff: true }, text)).toMatchObject({ block: undefined, conflicts: [] });
  });

  it("gets what it lacks, beside what it has", () => {
    const text = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "/x"\n[proxy_plugins]\n';
    const config = configFor("1.7.24", { cri: true }, text);
    expect(valueAt(config, ["plugins", "io.containerd.grpc.v1.cri"])).toEqual({
      cni: { bin_dir: "/x" },
      containerd: { snapshotter: "cleat" },
    });
  });
});

describe("a table of the same name", () => {
  it.each([
    [
      "with another value",
      'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd]\n  snapshotter = "overlayfs"\n',
      'config.toml, line 2, has a table [plugins."io.containerd.grpc.v1.cri".containerd] already: write snapshotter ' +
        '= "cleat" instead of "overlayfs" there, and run this again',
    ],
    [
      "without the value",
      "version = 2\n\n  [plugins.'io.containerd.grpc.v1.cri'.containerd]\n  default_runtime_name = \"runc\"\n",
      'config.toml, line 3, has a table [plugins."io.containerd.grpc.v1.cri".containerd] already: write snapshotter ' +
        '= "cleat" there, and run this again',
    ],
    [
      "in one line",
      'version = 2\nproxy_plugins = { other = { type = "snapshot", address = "/x" } }\n',
      "config.toml has a table [proxy_plugins] in one line: write [proxy_plugins.cleat] into it, and run this again",
    ],
    [
      "as a list in one line",
      'version = 2\nplugins."io.containerd.transfer.v1.local".unpack_config = [{ snapshotter = "x" }]\n',
      'config.toml has a list [[plugins."io.containerd.transfer.v1.local".unpack_config]] in one line: add ' +
        '{ platform = "linux/amd64", differ = "walking", snapshotter = "cleat" } to it, and run this again',
    ],
  ])("%s is for its owner to change", (_what, text, sentence) => {
    const { conflicts } = blockFor("1.7.24", { cri: true, transfer: true }, text);
    expect(conflicts[0]).toBe(sentence);
  });

  it("is refused in a file that is not TOML, with the line", () => {
    expect(() => blockFor("1.7.24", {}, "version = 2\n[a\n")).toThrow("config.toml is not TOML: line 2");
  });
});

it("an older table that containerd 2 would take over is for its owner to change", () => {
  const older = (snapshotter: string) =>
    `version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd]\nsnapshotter = "${snapshotter}"\n`;
  expect(blockFor("2.1.9", { cri: true }, older("overlayfs")).conflicts).toEqual([
    'config.toml, line 2, has a table [plugins."io.containerd.grpc.v1.cri".containerd] already: write snapshotter = ' +
      '"cleat" instead of "overlayfs" there, and run this again',
  ]);
  // By itself it would have no effect: containerd 2 looks at it where there are runtimes.
  const config = configFor("2.1.9", { cri: true }, older("cleat"));
  expect(valueAt(config, ["plugins", "io.containerd.cri.v1.images", "snapshotter"])).toBe("cleat");
});

it("names a machine as containerd does", () => {
  expect((["x64", "arm64", "arm", "riscv64"] as const).map(containerdPlatform)).toEqual([
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "linux/riscv64",
  ]);
});
