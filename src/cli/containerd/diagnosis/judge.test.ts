import { describe, expect, it } from "vitest";
import { composeConfig } from "../config/compose.ts";
import { parseToml, type TomlTable } from "../config/toml-text.ts";
import { parseVersion } from "../config/versions.ts";
import type { ContainerdFacts } from "./containerd-facts.ts";
import { judgeContainerd } from "./judge-containerd.ts";
import { type DockerFacts, judgeDocker } from "./judge-docker.ts";

const socket = "/run/cleat/snapshotter.sock";
const text219 = `[proxy_plugins.cleat]
type = "snapshot"
address = "${socket}"
exports = { root = "/layers" }`;
type Asked = Partial<Record<"cri" | "transfer" | "diff" | "canRebase", boolean>>;

/** What `cleat config containerd` writes, as containerd reads it. */
function written(version: string, asked: Asked = {}): TomlTable {
  const all = { cri: false, criRuntimes: [], transfer: false, diff: false, canRebase: false, ...asked };
  const request = { version: parseVersion(version), socket, root: "/layers", platform: "linux/amd64", ...all };
  return parseToml(composeConfig(request, undefined, "config.toml").block ?? "", "it");
}

const plugin = { type: "io.containerd.snapshotter.v1", id: "cleat", failure: undefined };

function factsOf(
  version: string,
  config: ContainerdFacts["config"],
  others: Partial<ContainerdFacts> = {},
): ContainerdFacts {
  return {
    versionText: version,
    version: parseVersion(version),
    program: undefined,
    configPath: "/etc/containerd/config.toml",
    isRunning: true,
    config,
    plugins: [plugin],
    socketFailure: async () => undefined,
    optionsOf: async () => undefined,
    driverOf: async () => "overlay2",
    ...others,
  };
}

const toml = (text: string) => parseToml(text, "it");

async function statesOf(facts: ContainerdFacts) {
  return (await judgeContainerd(facts)).map(({ subject, state }) => `${subject}: ${state}`);
}

async function wrongOf(facts: ContainerdFacts) {
  return (await judgeContainerd(facts)).filter(({ state }) => state === "wrong").map(({ text }) => text);
}

describe("of containerd, the server that answers", () => {
  const answering = (...argv: string[]) => ({ optionsOf: async () => [...argv, "--root", "/layers"] });
  const mapping = toml(`${text219}\ncapabilities = ["remap-ids"]`);

  it.each<[what: string, config: TomlTable, argv: string[], text: string | undefined]>([
    ["makes no diffs", written("2.1.9", { diff: true }), [], "without --diff"],
    ["makes diffs", written("2.1.9", { diff: true }), ["--diff"], undefined],
    ["maps no ids", mapping, [], "without --remap-ids"],
    ["maps ids", mapping, ["--remap-ids"], undefined],
    ["keeps its layers elsewhere", toml(text219), ["--root=/elsewhere"], 'keeps its layers in "/elsewhere"'],
    ["was started as it is configured", toml(text219), [], undefined],
  ])("%s", async (_, config, argv, text) => {
    const wrong = await wrongOf(factsOf("2.1.9", config, answering(...argv)));
    expect(wrong).toEqual(text === undefined ? [] : [expect.stringContaining(text)]);
  });

  it("maps ids, which containerd does not know", async () => {
    const findings = await judgeContainerd(factsOf("2.1.9", toml(text219), answering("--remap-ids")));
    expect(findings.filter(({ subject }) => subject === "capabilities")).toMatchObject([{ state: "off" }]);
  });
});

describe("of containerd", () => {
  it.each([
    ["1.6.20", {}],
    ["1.7.24", { cri: true, transfer: true, diff: true }],
    ["2.0.5", { cri: true }],
    ["2.1.9", { cri: true, diff: true }],
    ["2.2.0", { cri: true, canRebase: true }],
  ])("%s nothing is wrong that cleat config wrote with %j", async (version, asked) => {
    const findings = await judgeContainerd(factsOf(version, written(version, asked)));
    expect(findings.filter(({ state }) => state === "wrong")).toEqual([]);
    expect(findings.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(["configuration", "socket", "plugin"]),
    );
  });

  it("it is said where nothing is configured, which is no fault", async () => {
    expect(await statesOf(factsOf("2.1.9", toml("version = 3")))).toEqual(["configuration: off"]);
  });

  it.each<[what: string, facts: ContainerdFacts, text: string]>([
    ["a file that cannot be read", factsOf("2.1.9", { unreadable: "it is not TOML" }), "it is not TOML"],
    [
      "a socket where nobody is",
      factsOf("2.1.9", written("2.1.9"), { socketFailure: async () => "ENOENT" }),
      "start cleat serve snapshotter",
    ],
    ["a containerd that has not read it yet", factsOf("2.1.9", written("2.1.9"), { plugins: [] }), "restart it"],
    [
      "a plugin that did not load",
      factsOf("2.1.9", written("2.1.9"), { plugins: [{ ...plugin, failure: "no type" }] }),
      "could not load the snapshotter: no type",
    ],
    ["exports that are missing", factsOf("2.1.9", written("1.6.20")), "nobody sees the disk fill"],
    [
      "an address with a scheme",
      factsOf("1.6.20", toml('[proxy_plugins.cleat]\ntype = "snapshot"\naddress = "unix:///x"')),
      "without unix://",
    ],
    [
      "a name with a dot in it",
      factsOf("1.6.20", toml('[proxy_plugins.cleat.x]\ntype = "snapshot"')),
      'has not type = "snapshot"',
    ],
    [
      "rebase on a driver that cannot",
      factsOf("2.2.0", written("2.2.0", { canRebase: true }), { driverOf: async () => "btrfs" }),
      'btrfs cannot put layers on other layers: take "rebase" out',
    ],
    [
      "a diff proxy that keeps it from starting",
      factsOf("1.7.3", toml('[proxy_plugins.x]\ntype = "diff"\naddress = "/x"')),
      "containerd 1.7.3 does not start with [proxy_plugins.x]: take it out",
    ],
    [
      "a differ that is not configured",
      factsOf("2.1.9", toml('[plugins."io.containerd.service.v1.diff-service"]\ndefault = ["cleat-diff"]')),
      'the diff service is to ask "cleat-diff", which is not configured',
    ],
    [
      "Kubernetes on a snapshotter that is not configured",
      factsOf("2.1.9", toml('[plugins."io.containerd.cri.v1.images"]\nsnapshotter = "cleat"')),
      "the node is not ready",
    ],
    [
      "a differ in unpack_config that has not every answer",
      factsOf(
        "2.1.9",
        toml(
          `${text219}\n[[plugins."io.containerd.transfer.v1.local".unpack_config]]\n` +
            'snapshotter="cleat"\ndiffer="cleat-diff"',
        ),
      ),
      'write differ = "walking" there',
    ],
    [
      "Kubernetes that pulls by a service that does not know it",
      factsOf("2.1.9", toml(`${text219}\n[plugins."io.containerd.cri.v1.images"]\nsnapshotter = "cleat"`)),
      'cannot pull: unpack_config has no entry for "cleat"',
    ],
    [
      "a second name for one socket",
      factsOf("1.6.20", toml(`${text219}\n[proxy_plugins.kata]\ntype = "snapshot"\naddress = "${socket}"`)),
      "[proxy_plugins.kata] leads to the same socket",
    ],
    [
      "a plugin that is disabled",
      factsOf("2.1.9", toml(`disabled_plugins = ["io.containerd.snapshotter.v1.cleat"]\n${text219}`), { plugins: [] }),
      "disabled_plugins names the snapshotter",
    ],
    [
      "a runtime on a snapshotter that is not configured",
      factsOf("2.1.9", toml('[plugins."io.containerd.cri.v1.images".runtime_platforms.kata]\nsnapshotter = "cleat"')),
      'is to use "cleat" for kata, which is not configured',
    ],
    [
      "a runtime of an older file on one that is not",
      factsOf("1.7.24", toml('[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]\nsnapshotter = "cleat"')),
      "cleat config containerd --write --cri-runtime runc",
    ],
    [
      "a runtime whose images cannot be pulled",
      factsOf(
        "2.1.9",
        toml(`${text219}\n[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]\nsnapshotter = "cleat"`),
      ),
      'cannot pull for runc: unpack_config has no entry for "cleat"',
    ],
  ])("%s is found", async (_what, facts, text) => {
    expect(await wrongOf(facts)).toEqual([expect.stringContaining(text)]);
  });

  it("what dockerd writes is nobody else's", async () => {
    const facts = factsOf("2.1.9", written("2.1.9"), { configPath: "/var/run/docker/containerd/containerd.toml" });
    expect(await statesOf(facts)).toEqual(["configuration: off"]);
  });
});

describe("of Docker", () => {
  const cleat = { "storage-driver": "cleat" };
  const store = { ...cleat, features: { "containerd-snapshotter": true } };
  const factsFor = (version: string, config: object, others: Partial<DockerFacts> = {}): DockerFacts => ({
    versionText: version,
    version: parseVersion(version),
    configPath: "/etc/docker/daemon.json",
    isRunning: true,
    storageDriverFlag: undefined,
    containerdFlag: undefined,
    config,
    startsOwnContainerd: false,
    containerdKnows: true,
    ...others,
  });

  it.each<[what: string, state: string, facts: DockerFacts]>([
    ["nothing is said to it", "off", factsFor("28.5.2", {})],
    ["a snapshotter", "right", factsFor("28.5.2", store)],
    ["a plugin", "right", factsFor("26.1.5", cleat)],
    ["a plugin on the command line", "right", factsFor("20.10.24", {}, { storageDriverFlag: "cleat" })],
    ["a plugin where it takes none", "wrong", factsFor("28.5.2", cleat)],
    ["a snapshotter where it knows none", "wrong", factsFor("20.10.24", store)],
    ["both in the file and on its command line", "wrong", factsFor("28.5.2", store, { storageDriverFlag: "cleat" })],
    ["a containerd of its own", "wrong", factsFor("28.5.2", store, { startsOwnContainerd: true })],
    ["a containerd that does not know it", "wrong", factsFor("28.5.2", store, { containerdKnows: false })],
    ["a file that is not JSON", "wrong", factsFor("28.5.2", { unreadable: "it is not JSON" })],
  ])("%s is %s", (_what, state, facts) => {
    expect(judgeDocker(facts).map((finding) => finding.state)).toEqual([state]);
  });
});
