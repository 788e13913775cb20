/** containerd itself reads what `cleat config containerd` writes, for every release that there is here. */
import { readFile, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type ConfiguredContainerd,
  configureContainerd,
  type ContainerdRelease,
  containerdReleases,
  newestContainerd,
  oldestContainerd,
} from "../../harness/containerd/configured-containerd.ts";
import { cleatCommand, startCleat } from "../../harness/plugins/cleat.ts";
import { runCommand } from "../../harness/processes/command.ts";
import { logTail, untilReady } from "../../harness/processes/daemon.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { type Namespace, openNamespace } from "../../harness/namespaces/namespace.ts";
import { describeWith, needsOf } from "../../needs.ts";
import { forky, machine, trixie, titleOf } from "../../harness/namespaces/release.ts";

let namespace: Namespace;
let containerd: ConfiguredContainerd;
const open = ({ release }: ContainerdRelease) => {
  beforeEach(async () => {
    namespace = await openNamespace(release);
    containerd = await configureContainerd(namespace);
  });
  afterEach(() => namespace[Symbol.asyncDispose]());
};

const config = (...options: string[]) =>
  containerd.cleat("config", "containerd", "--config", containerd.configPath, "--driver", "overlay2", ...options);

/** What `cleat doctor` finds about containerd, as [subject, state]; it ends with 5 where something is wrong. */
async function doctor(): Promise<[string, string][]> {
  const options = ["--home", `${namespace.folder}/home`, "--json", "--timeout=60"];
  const line = await namespace.run(["sh", "-c", '"$@" || [ $? = 5 ]', "doctor", ...cleatCommand, "doctor", ...options]);
  const { engines } = JSON.parse(line) as { engines: { engine: string; findings: Record<string, string>[] }[] };
  const findings = engines.find(({ engine }) => engine === "containerd")?.findings ?? [];
  return findings.map(({ subject = "", state = "" }) => [subject, state]);
}

/** Whether a release of containerd is `least` ("1.7.4") or later. */
function isFrom(least: string): boolean {
  const [a, b] = [containerd.version, least].map((text) => text.split(".").map(Number)) as [number[], number[]];
  const index = a.findIndex((number, at) => number !== b[at]);
  return index < 0 || (a[index] ?? 0) > (b[index] ?? 0);
}

const proxy = { type: "snapshot", address: "/run/cleat/snapshotter.sock" };
const root = "/var/lib/containerd/io.containerd.snapshotter.v1.cleat";

for (const row of containerdReleases) {
  describeWith(row.needs, row.title, () => {
    open(row);

    it("starts with the least that is written, and knows the snapshotter", async () => {
      await config("--write");
      await containerd.start();
      expect((await containerd.plugins()).get("io.containerd.snapshotter.v1 cleat")).toBe("ok");
      expect((await containerd.dump())["proxy_plugins"]).toMatchObject({
        cleat: { ...proxy, ...(isFrom("1.7.16") && { platform: "linux/amd64", exports: { root } }) },
      });
    });

    it("starts with all that it has, and every plugin that is concerned is well", async () => {
      const transfers = isFrom("1.7.0");
      const diffs = isFrom("1.7.4");
      const further = [...(transfers ? ["--transfer", "--cri-runtime", "runc"] : []), ...(diffs ? ["--diff"] : [])];
      await config("--write", "--cri", ...further);
      const daemon = await containerd.start();
      const plugins = await containerd.plugins();
      const concerned = [
        "io.containerd.snapshotter.v1 cleat",
        "io.containerd.service.v1 diff-service",
        isFrom("2.0.0") ? "io.containerd.cri.v1 images" : "io.containerd.grpc.v1 cri",
        ...(transfers ? ["io.containerd.transfer.v1 local"] : []),
        ...(diffs ? ["io.containerd.differ.v1 cleat-diff"] : []),
      ];
      const states = concerned.map((name) => [name, plugins.get(name)]);
      expect(states, await logTail(daemon)).toEqual(concerned.map((name) => [name, "ok"]));
      const dump = await containerd.dump();
      expect(criSnapshotter(dump)).toBe("cleat");
      if (transfers) expect(unpackConfig(dump)).toMatchObject([{ snapshotter: "overlayfs" }, { snapshotter: "cleat" }]);
      if (diffs)
        expect(dump).toHaveProperty(["plugins", "io.containerd.service.v1.diff-service", "default", 0], "cleat-diff");
    });

    it("is looked at by cleat doctor, which says what is missing until nothing is", async () => {
      const asked = isFrom("1.7.0") ? ["--transfer"] : [];
      expect(await doctor()).toEqual([["configuration", "off"]]);
      const root = `--root=${namespace.folder}/layers`;
      await config("--write", "--cri", root, ...asked);
      await containerd.start();
      expect(await doctor()).toContainEqual(["socket", "wrong"]);
      const serving = [...cleatCommand, "serve", "snapshotter", root, "--driver=overlay2"];
      const cleat = await namespace.start("cleat", serving);
      const isAnswering = async () => (await doctor()).every(([, state]) => state === "right");
      await untilReady(cleat, "doctor to find nothing wrong", isAnswering);
      const subjects = [
        "configuration",
        "socket",
        "plugin",
        ...(asked.length > 0 ? ["unpack_config"] : []),
        "Kubernetes",
      ];
      expect(await doctor()).toEqual(subjects.map((subject) => [subject, "right"]));
    });

    it("reads a file that Cleat makes where there is none, and none is left when it is taken out", async () => {
      const made = `${namespace.folder}/etc/containerd/config.toml`;
      await containerd.cleat("config", "containerd", "--config", made, "--write", "--cri");
      const dump = await namespace.run(["containerd", "--config", made, "config", "dump"]);
      expect(dump).toMatch(/\[proxy_plugins\.cleat\]/);
      await containerd.cleat("config", "containerd", "--config", made, "--remove");
      await expect(namespace.run(["cat", made])).rejects.toThrow("No such file");
    });

    it("has its own configuration again when what was written is taken out", async () => {
      const own = `version = 2\n# ours\n[plugins]\n  [plugins."io.containerd.grpc.v1.cri".cni]\n    bin_dir = "/opt"`;
      await containerd.writeConfig(own);
      const dumped = await containerd.dump();
      await config("--write", "--cri");
      expect(await containerd.dump()).not.toEqual(dumped);
      await config("--remove");
      expect(await containerd.readConfig()).toBe(own);
      expect(await containerd.dump()).toEqual(dumped);
    });

    it("takes a list of its owner's for what the owner wants, and Cleat's entry beside it", async () => {
      if (!isFrom("1.7.0")) return;
      const header = '[[plugins."io.containerd.transfer.v1.local".unpack_config]]';
      await containerd.writeConfig(`version = 2\n${header}\nplatform = "linux/amd64"\nsnapshotter = "native"\n`);
      await config("--write", "--transfer");
      expect(unpackConfig(await containerd.dump())).toMatchObject([
        { snapshotter: "native" },
        { snapshotter: "cleat" },
      ]);
    });

    it("is asked before a file with an import that would hide the lines is written", async () => {
      await writeFile(
        `${namespace.folder}/more.toml`,
        'version = 2\n[proxy_plugins.cleat]\ntype = "snapshot"\naddress = "/x"\n',
      );
      await containerd.writeConfig('version = 2\nimports = ["more.toml"]\n');
      await expect(config("--write")).rejects.toThrow("containerd does not see [proxy_plugins.cleat]");
      expect(await containerd.readConfig()).toBe('version = 2\nimports = ["more.toml"]\n');
    });
  });
}

describeWith(newestContainerd.needs, "containerd 2 with a file of config version 3", () => {
  open(newestContainerd);

  it("starts with all that it has", async () => {
    await containerd.writeConfig("version = 3\n");
    await config("--write", "--cri", "--cri-runtime", "runc", "--diff");
    await containerd.start();
    expect((await containerd.plugins()).get("io.containerd.transfer.v1 local")).toBe("ok");
    expect(criSnapshotter(await containerd.dump())).toBe("cleat");
  });
});

describeWith(newestContainerd.needs, "the diffs of containerd 2", () => {
  open(newestContainerd);

  it("are made by Cleat once it is configured so", async () => {
    await config("--write", "--diff");
    const serving = ["serve", "snapshotter", `--root=${namespace.folder}/layers`, "--driver=overlay2", "--diff"];
    const cleat = await namespace.start("cleat", [...cleatCommand, ...serving, "--log-level=debug"]);
    const isServing = async () => (await readFile(cleat.logPath, "utf8")).includes('"serving"');
    await untilReady(cleat, "cleat to serve", isServing);
    await containerd.start();
    await writeImageArchive(`${namespace.folder}/busybox.tar`, "busybox", [shellLayer]);
    const ctr = (...args: string[]) => namespace.run(["ctr", ...args]);
    await ctr("image", "import", "--local", "--snapshotter=cleat", `${namespace.folder}/busybox.tar`);
    const container = ["docker.io/library/busybox:latest", "box", "/bin/busybox", "sh", "-c", "echo hello > /greeting"];
    await ctr("run", "--snapshotter=cleat", ...container);
    const archive = `${namespace.folder}/diff.tar.gz`;
    await namespace.run(["sh", "-c", 'ctr snapshots --snapshotter cleat diff box > "$0"', archive]);
    expect(await runCommand(["tar", "-tzf", archive])).toContain("greeting\n");
    expect(await readFile(cleat.logPath, "utf8")).toMatch(/services\.diff\.v1\.Diff\/Diff.*"answered"/);
  });
});

describeWith(oldestContainerd.needs, "a diff proxy", () => {
  open(oldestContainerd);

  it("is refused for a containerd that would not start with it, and it would not", async () => {
    await expect(config("--diff")).rejects.toThrow("does not start where a diff proxy is configured");
    await containerd.writeConfig('version = 2\n[proxy_plugins.cleat-diff]\ntype = "diff"\naddress = "/x"\n');
    const starting = namespace.run(["timeout", "20", "containerd", "--config", containerd.configPath]);
    await expect(starting).rejects.toThrow("no type");
  });
});

describe("daemon.json", () => {
  const checking = [trixie, forky].map((release) => ({ release, title: titleOf(release, "docker") }));
  for (const { release, title } of checking) {
    describeWith(needsOf(release, "docker"), title, () => {
      it("passes Docker's own check", async () => {
        await using room = await openNamespace(release);
        const path = `${room.folder}/daemon.json`;
        await writeFile(path, '{"log-driver": "local"}');
        await room.run([...cleatCommand, "config", "docker", "--config", path, "--write"]);
        expect(await room.run(["sh", "-c", 'dockerd --validate --config-file "$0" 2>&1', path])).toContain("OK");
        await writeFile(path, '{"log-driver": "local", "storage-drivers": "cleat"}');
        await expect(room.run(["dockerd", "--validate", "--config-file", path])).rejects.toThrow("storage-drivers");
      });
    });
  }

  describeWith(needsOf(machine, "docker"), titleOf(machine, "docker"), () => {
    it("brings it to the graph driver plugin", async () => {
      await using room = await openNamespace();
      const path = `${room.folder}/daemon.json`;
      const own = {
        "data-root": `${room.folder}/docker`,
        bridge: "none",
        iptables: false,
        hosts: ["unix:///run/docker.sock"],
      };
      await writeFile(path, JSON.stringify(own));
      await room.run([...cleatCommand, "config", "docker", "--graph", "--config", path, "--write"]);
      await startCleat(room, { name: "cleat", driver: "overlay2" });
      const dockerd = await room.start("dockerd", ["dockerd", "--config-file", path]);
      const info = () => room.run(["docker", "--host", "unix:///run/docker.sock", "info", "--format", "{{.Driver}}"]);
      await untilReady(dockerd, "dockerd to answer", () =>
        info().then(
          (driver) => driver !== "\n",
          () => false,
        ),
      );
      expect(await info()).toBe("cleat\n");
    });
  });
});

type Json = Record<string, unknown>;

function criSnapshotter(dump: Json): unknown {
  const plugins = dump["plugins"] as Record<string, { snapshotter?: string; containerd?: { snapshotter?: string } }>;
  return (
    plugins["io.containerd.cri.v1.images"]?.snapshotter ?? plugins["io.containerd.grpc.v1.cri"]?.containerd?.snapshotter
  );
}

function unpackConfig(dump: Json): unknown {
  const plugins = dump["plugins"] as Record<string, { unpack_config?: unknown }>;
  return plugins["io.containerd.transfer.v1.local"]?.unpack_config;
}
