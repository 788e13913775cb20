/**
 * Docker and Podman with the volumes that Cleat brings along: what one of them, or the machine, forgets is not lost.
 * Engines that are started again find their volumes by day on a plugin of a test's own (`volumes.test.ts`), here at
 * night.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { type CleatVolumes, forgetMounts, startCleatVolumes } from "../../harness/volumes/cleat-volumes.ts";
import { idling } from "../../harness/engines/containers.ts";
import { openEngine, type Engine } from "../../harness/engines/engine.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { openNamespace, type Namespace } from "../../harness/namespaces/namespace.ts";
import { pluginSocket } from "../../harness/plugins/plugin-process.ts";
import { openPodman, type Podman } from "../../harness/engines/podman.ts";
import { post } from "../../harness/plugins/post.ts";
import { type EngineRelease, forky, machine, titleOf, trixie } from "../../harness/namespaces/release.ts";
import { builtinOverlay2, ofRelease } from "../../harness/engines/storage.ts";
import { atNight } from "../../night.ts";

for (const release of atNight ? [machine, trixie, forky] : [forky]) {
  const required = [...needsOf(release, "docker"), needs.overlay, needs.busybox];
  describeWith(required, `volumes of Cleat under ${titleOf(release, "docker")}`, () => withDocker(release));
}
for (const release of atNight ? [machine, trixie, forky] : [machine]) {
  const required = [...needsOf(release, "podman"), needs.overlay, needs.busybox];
  describeWith(required, `volumes of Cleat under ${titleOf(release, "podman")}`, () => withPodman(release));
}

function withDocker(release: EngineRelease): void {
  let engine: Engine & AsyncDisposable;
  let plugin: CleatVolumes;

  beforeAll(async () => {
    engine = await openEngine(ofRelease(release, builtinOverlay2));
    plugin = await startCleatVolumes(engine.namespace, "cleat");
    const archive = `${engine.namespace.folder}/small.tar`;
    await writeImageArchive(archive, "small", [shellLayer]);
    await engine.docker("load", "--input", archive);
  });
  afterAll(() => engine?.[Symbol.asyncDispose]());

  const docker = (...args: string[]) => engine.dockerd.docker(...args);
  const create = (name: string, ...options: string[]) =>
    docker("volume", "create", "--driver=cleat", ...options.map((option) => `--opt=${option}`), name);
  const inspect = async (name: string) => {
    const [volume] = JSON.parse(await docker("volume", "inspect", name)) as [Record<string, Record<string, unknown>>];
    return volume;
  };
  const volumes = async () => (await docker("volume", "ls", "--format", "{{.Driver}} {{.Name}}")).split("\n");
  const keepRunningOn = (volume: string, name: string, ...options: string[]) =>
    docker("run", ...idling, ...options, `--name=${name}`, `--volume=${volume}:/v`, "small", "sleep", "3600");
  const removeContainers = (...names: string[]) => docker("rm", "--force", ...names);

  test("two containers share a mount, which is there until the last has gone", async () => {
    await create("memory", "type=tmpfs", "size=1m", "o=nodev");
    await keepRunningOn("memory", "one");
    await keepRunningOn("memory", "two");
    await docker("exec", "one", "sh", "-c", "echo from one > /v/file");
    expect(await docker("exec", "two", "cat", "/v/file")).toBe("from one");
    expect(await inspect("memory")).toMatchObject({
      Mountpoint: `${plugin.root}/mounts/memory`,
      Options: { type: "tmpfs", size: "1m", o: "nodev" },
      Status: { Type: "tmpfs", Options: { size: "1m", o: "nodev" }, Mounts: 2, SizeBytes: 2 ** 20 },
    });
    await expect(docker("volume", "rm", "memory")).rejects.toThrow(/volume is in use/);
    await removeContainers("one");
    expect(await plugin.mounts()).toEqual([`${plugin.root}/mounts/memory`]);
    await removeContainers("two");
    expect(await plugin.mounts()).toEqual([]);
    await docker("volume", "rm", "memory");
    expect(await volumes()).toEqual([""]);
  });

  test("a plugin that is killed while they are mounted has its holders again, and loses none", async () => {
    await create("memory", "type=tmpfs");
    await keepRunningOn("memory", "one");
    await docker("exec", "one", "sh", "-c", "echo kept > /v/file");
    await plugin.end("SIGKILL");
    await plugin.start();
    await keepRunningOn("memory", "two");
    expect(await docker("exec", "two", "cat", "/v/file")).toBe("kept");
    expect(await inspect("memory")).toMatchObject({ Status: { Mounts: 2 } });
    await removeContainers("one", "two");
    expect(await plugin.mounts()).toEqual([]);
    await docker("volume", "rm", "memory");
  });

  test.each(atNight ? (["SIGTERM", "SIGKILL"] as const) : [])(
    "a daemon that got %s finds them, and gives them back",
    async (signal) => {
      await create("kept");
      await keepRunningOn("kept", "one");
      await docker("exec", "one", "sh", "-c", "echo kept > /v/file");
      await engine.dockerd.end(signal);
      await engine.dockerd.start();
      expect(await volumes()).toEqual(["cleat kept"]);
      await docker("start", "one");
      expect(await docker("exec", "one", "cat", "/v/file")).toBe("kept");
      await removeContainers("one");
      expect(await inspect("kept")).toMatchObject({ Status: { Mounts: 0 } });
      await docker("volume", "rm", "kept");
    },
  );

  test("the machine starts anew: containers that come back mount again, and no earlier holder is left", async () => {
    await create("memory", "type=tmpfs");
    await create("data");
    await keepRunningOn("memory", "back", "--restart=always", "--volume=data:/d");
    await docker("exec", "back", "sh", "-c", "echo kept > /d/file");
    await keepRunningOn("memory", "gone");
    const pids = (await docker("inspect", "--format={{.State.Pid}}", "back", "gone")).split("\n");
    await Promise.all([engine.dockerd.end("SIGKILL"), plugin.end("SIGKILL")]);
    await engine.namespace.run(["sh", "-c", 'kill -KILL "$@"', "sh", ...pids]);
    await forgetMounts(engine.namespace, plugin, "11111111-2222-3333-4444-555555555555");
    await plugin.start();
    await engine.dockerd.start();
    await docker("start", "back");
    expect(await docker("exec", "back", "cat", "/d/file")).toBe("kept");
    expect(await inspect("memory")).toMatchObject({ Options: { type: "tmpfs" }, Status: { Mounts: 1 } });
    await removeContainers("back", "gone");
    expect(await plugin.mounts()).toEqual([]);
    await docker("volume", "rm", "memory", "data");
  });

  test("one that others removed is gone from Docker's list, too", async () => {
    await create("theirs");
    await post(plugin.socketPath(), "/VolumeDriver.Remove", { Name: "theirs" });
    expect(await volumes()).toEqual([""]);
    await create("theirs", "type=tmpfs");
    expect(await inspect("theirs")).toMatchObject({ Status: { Type: "tmpfs" } });
    await docker("volume", "rm", "theirs");
  });

  test("a password is nowhere to be seen, and what is wrong is said", async () => {
    await expect(create("red", "sise=1g")).rejects.toThrow('option "sise" is unknown; known are from, size, snapshot');
    const secrets = ["username=me", "password=hunter2", "o=password=swordfish"];
    await create("share", "type=cifs", "device=//127.0.0.1/data", ...secrets);
    const { Status } = (await inspect("share")) ?? {};
    expect(Status).toMatchObject({ Options: { username: "me", password: "***", o: "password=***" } });
    await docker("volume", "rm", "share");
  });
}

function withPodman(release: EngineRelease): void {
  let namespace: Namespace;
  let plugin: CleatVolumes;
  let engine: Podman;

  beforeAll(async () => {
    namespace = await openNamespace(release);
    plugin = await startCleatVolumes(namespace, "cleat");
    engine = await openPodman(namespace, { cleat: pluginSocket("cleat") });
    const archive = `${namespace.folder}/small.tar`;
    await writeImageArchive(archive, "small", [shellLayer]);
    await engine.podman("load", "--input", archive);
  });
  afterAll(() => namespace?.[Symbol.asyncDispose]());

  const podman = (...args: string[]) => engine.podman(...args);
  const volumes = async () => (await podman("volume", "ls", "--format", "{{.Driver}} {{.Name}}")).split("\n");
  const keepRunningOn = (volume: string, name: string) =>
    engine.run("--detach", `--name=${name}`, `--volume=${volume}:/v`, "small", "sleep", "3600");
  const removeContainers = (...names: string[]) => podman("rm", "--force", "--time=0", ...names);
  const inspect = async (name: string) => {
    const [volume] = JSON.parse(await podman("volume", "inspect", name)) as [Record<string, unknown>];
    return volume;
  };

  test("containers share a mount until the last has gone, through a plugin that is killed", async () => {
    await podman("volume", "create", "--driver=cleat", "--opt=type=tmpfs", "--opt=size=1m", "memory");
    await keepRunningOn("memory", "one");
    await podman("exec", "one", "sh", "-c", "echo kept > /v/file");
    await plugin.end("SIGKILL");
    await plugin.start();
    await keepRunningOn("memory", "two");
    expect(await podman("exec", "two", "cat", "/v/file")).toBe("kept");
    expect(await inspect("memory")).toMatchObject({ Status: { Type: "tmpfs", Mounts: 1 } });
    await expect(podman("volume", "rm", "memory")).rejects.toThrow(/volume is being used/);
    await removeContainers("one");
    expect(await plugin.mounts()).toEqual([`${plugin.root}/mounts/memory`]);
    await removeContainers("two");
    expect(await plugin.mounts()).toEqual([]);
    await podman("volume", "rm", "memory");
    expect(await volumes()).toEqual([""]);
  });

  test("volumes that others made are found by a reload, and those that others removed are gone by one", async () => {
    await post(plugin.socketPath(), "/VolumeDriver.Create", { Name: "theirs" });
    await podman("volume", "reload");
    expect(await volumes()).toEqual(["cleat theirs"]);
    await post(plugin.socketPath(), "/VolumeDriver.Remove", { Name: "theirs" });
    await podman("volume", "reload");
    expect(await volumes()).toEqual([""]);
  });
}
