/** Podman as the client of a volume plugin that Cleat serves, and of one that answers as Podman cannot bear. */
import { once } from "node:events";
import { readdir, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { startFolderVolumes, type FolderVolumes } from "../../harness/volumes/folder-volumes.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { openNamespace, type Namespace } from "../../harness/namespaces/namespace.ts";
import { pluginSocket } from "../../harness/plugins/plugin-process.ts";
import { openPodman, type Podman } from "../../harness/engines/podman.ts";
import { post } from "../../harness/plugins/post.ts";
import { type EngineRelease, titleOf, volumeReleases } from "../../harness/namespaces/release.ts";

for (const release of volumeReleases.podman) {
  const required = [...needsOf(release, "podman"), needs.overlay, needs.busybox];
  describeWith(required, `volumes of ${titleOf(release, "podman")} on a plugin`, () => withVolumesOf(release));
}

function withVolumesOf(release: EngineRelease): void {
  let namespace: Namespace;
  let plugin: FolderVolumes;
  let engine: Podman;

  beforeAll(async () => {
    namespace = await openNamespace(release);
    plugin = await startFolderVolumes(namespace, "folders");
    engine = await openPodman(namespace, { folders: pluginSocket("folders") });
    const archive = `${namespace.folder}/small.tar`;
    await writeImageArchive(archive, "small", [shellLayer]);
    await engine.podman("load", "--input", archive);
  });
  afterAll(() => namespace?.[Symbol.asyncDispose]());

  const podman = (...args: string[]) => engine.podman(...args);
  const createVolume = (name: string, ...options: string[]) =>
    podman("volume", "create", "--driver=folders", ...options.map((option) => `--opt=${option}`), name);
  const inspect = async (name: string) => {
    const [volume] = JSON.parse(await podman("volume", "inspect", name)) as [Record<string, unknown>];
    return volume;
  };
  const volumes = async () => (await podman("volume", "ls", "--format", "{{.Driver}} {{.Name}}")).split("\n");
  const runOn = (volume: string, script: string) =>
    engine.run("--rm", `--volume=${volume}:/v`, "small", "sh", "-c", script);
  const keepRunningOn = (volume: string, name: string) =>
    engine.run("--detach", `--name=${name}`, `--volume=${volume}:/v`, "small", "sleep", "3600");
  const removeContainers = (...names: string[]) => podman("rm", "--force", "--time=0", ...names);
  const holders = (volume: string) => readdir(`${plugin.root}/${volume}/holders`);

  test("a volume is created with options, listed, inspected and removed", async () => {
    expect(await createVolume("data", "mode=750")).toBe("data");
    expect(await volumes()).toEqual(["folders data"]);
    expect(await inspect("data")).toMatchObject({
      Name: "data",
      Driver: "folders",
      Mountpoint: "",
      Options: { mode: "750" },
      Status: { Holders: 0 },
    });
    expect((await stat(`${plugin.root}/data/files`)).mode & 0o777).toBe(0o750);
    await podman("volume", "rm", "data");
    expect(await readdir(plugin.root)).toEqual([]);
    expect(await volumes()).toEqual([""]);
  });

  test("what one container writes the next one reads; two at once are one holder", async () => {
    await createVolume("shared");
    await runOn("shared", "echo kept > /v/file");
    expect(await runOn("shared", "cat /v/file")).toBe("kept");
    await keepRunningOn("shared", "one");
    await keepRunningOn("shared", "two");
    expect(await inspect("shared")).toMatchObject({ MountCount: 2, Status: { Holders: 1 } });
    await expect(podman("volume", "rm", "shared")).rejects.toThrow(/volume is being used/);
    await removeContainers("one");
    expect(await podman("exec", "two", "cat", "/v/file")).toBe("kept");
    await removeContainers("two");
    expect(await holders("shared")).toEqual([]);
    await podman("volume", "rm", "shared");
  });

  test("volumes that others made are found by a reload", async () => {
    await post(plugin.socketPath(), "/VolumeDriver.Create", { Name: "theirs" });
    await podman("volume", "reload");
    expect(await volumes()).toEqual(["folders theirs"]);
    await podman("volume", "rm", "theirs");
  });

  test("Podman's user reads why the plugin refuses", async () => {
    await expect(createVolume("red", "color=red")).rejects.toThrow(
      'on volume red in volume plugin folders: volume "red": unknown option "color"; known are mode, gate',
    );
    await createVolume("used");
    const held = { Name: "used", ID: "somebody-else" };
    await post(plugin.socketPath(), "/VolumeDriver.Mount", held);
    await expect(podman("volume", "rm", "used")).rejects.toThrow(/volume "used" is in use by 1 holder/);
  });

  test("U11: an Err on 200 is lost on Podman, so a failure of Cleat's is never one", async () => {
    await using elsewhere = await openNamespace(release);
    const socket = `${elsewhere.folder}/careless.sock`;
    const careless = createServer((request, response) => {
      const { url } = request.resume();
      if (url === "/VolumeDriver.Get") response.statusCode = 500; // there is none yet, so Podman creates it
      const activated = { Implements: ["VolumeDriver"] };
      response.end(JSON.stringify(url === "/Plugin.Activate" ? activated : { Err: "disk is full" }));
    });
    careless.listen(socket);
    await once(careless, "listening");
    try {
      const misled = await openPodman(elsewhere, { careless: socket });
      expect(await misled.podman("volume", "create", "--driver=careless", "doomed")).toBe("doomed");
      await misled.podman("volume", "exists", "doomed");
    } finally {
      careless.closeAllConnections();
      careless.close();
    }

    const refused = { Name: "lost", Opts: { color: "red" } };
    expect(await post(plugin.socketPath(), "/VolumeDriver.Create", refused)).toMatchObject({
      status: 500,
      body: { Err: expect.stringContaining("unknown option") },
    });
    await expect(createVolume("lost", "color=red")).rejects.toThrow(/unknown option/);
    await expect(podman("volume", "exists", "lost")).rejects.toThrow();
  });

  test("a Mount that outlasts Podman's patience goes on, and once more is not once too often", async () => {
    const gate = `${namespace.folder}/gate`;
    await createVolume("slow", `gate=${gate}`);
    await expect(keepRunningOn("slow", "hasty")).rejects.toThrow(/VolumeDriver.Mount.*Timeout exceeded/s);
    expect(await holders("slow")).toEqual([]);
    await writeFile(gate, "");
    await keepRunningOn("slow", "patient");
    expect(await inspect("slow")).toMatchObject({ MountCount: 1, Status: { Holders: 1 } });
    await removeContainers("patient");
    expect(await holders("slow")).toEqual([]);
    await podman("rm", "--all");
    await podman("volume", "rm", "slow");
  });

  test.each(["SIGTERM", "SIGKILL"] as const)(
    "a running container outlives a plugin that got %s, which then knows its holder again",
    async (signal) => {
      await createVolume("lasting");
      await keepRunningOn("lasting", "witness");
      await plugin.end(signal);
      await podman("exec", "witness", "sh", "-c", "echo while it was away > /v/file");
      await expect(createVolume("early")).rejects.toThrow(/folders/);
      await plugin.start();
      expect(await inspect("lasting")).toMatchObject({ Status: { Holders: 1 } });
      await removeContainers("witness");
      expect(await runOn("lasting", "cat /v/file")).toBe("while it was away");
      expect(await holders("lasting")).toEqual([]);
      await podman("volume", "rm", "lasting");
    },
  );

  test("a driver that nobody serves is named", async () => {
    await expect(podman("volume", "create", "--driver=nobody", "lost")).rejects.toThrow(
      "no volume plugin with name nobody available",
    );
  });
}
