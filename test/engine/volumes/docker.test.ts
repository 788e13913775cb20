/** Docker as the client of a volume plugin that Cleat serves. */
import { readdir, stat } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { idling } from "../../harness/engines/containers.ts";
import { openEngine, type Engine } from "../../harness/engines/engine.ts";
import {
  startFolderVolumes,
  startSecureFolderVolumes,
  type FolderVolumes,
} from "../../harness/volumes/folder-volumes.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { post } from "../../harness/plugins/post.ts";
import { type EngineRelease, titleOf, volumeReleases } from "../../harness/namespaces/release.ts";
import { builtinOverlay2, ofRelease } from "../../harness/engines/storage.ts";

for (const release of volumeReleases.docker) {
  const required = [...needsOf(release, "docker"), needs.overlay, needs.busybox];
  describeWith(required, `volumes of ${titleOf(release, "docker")} on a plugin`, () => withVolumesOf(release));
}

function withVolumesOf(release: EngineRelease): void {
  let engine: Engine & AsyncDisposable;
  let plugin: FolderVolumes;

  beforeAll(async () => {
    engine = await openEngine(ofRelease(release, builtinOverlay2));
    plugin = await startFolderVolumes(engine.namespace, "folders");
    const archive = `${engine.namespace.folder}/small.tar`;
    await writeImageArchive(archive, "small", [shellLayer]);
    await engine.docker("load", "--input", archive);
  });
  afterAll(() => engine?.[Symbol.asyncDispose]());

  const docker = (...args: string[]) => engine.dockerd.docker(...args);
  const createVolume = (name: string, ...options: string[]) =>
    docker("volume", "create", "--driver", "folders", ...options.map((option) => `--opt=${option}`), name);
  const inspect = async (name: string) => {
    const [volume] = JSON.parse(await docker("volume", "inspect", name)) as [Record<string, unknown>];
    return volume;
  };
  const volumes = async () => (await docker("volume", "ls", "--format", "{{.Driver}} {{.Name}}")).split("\n");
  const runOn = (volume: string, script: string) =>
    docker("run", "--rm", "--network=none", `--volume=${volume}:/v`, "small", "sh", "-c", script);
  const keepRunningOn = (volume: string, name: string) =>
    docker("run", ...idling, `--name=${name}`, `--volume=${volume}:/v`, "small", "sleep", "3600");
  const removeContainers = (...names: string[]) => docker("rm", "--force", ...names);
  const holders = async (volume: string) => readdir(`${plugin.root}/${volume}/holders`);

  test("a volume is created with options, listed, inspected and removed", async () => {
    expect(await createVolume("data", "mode=750")).toBe("data");
    expect(await volumes()).toEqual(["folders data"]);
    expect(await inspect("data")).toEqual({
      Name: "data",
      Driver: "folders",
      Mountpoint: "",
      CreatedAt: expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:.]+Z$/),
      Scope: "local",
      Options: { mode: "750" },
      // Docker 20.10 shows {}, 28.5 null.
      Labels: expect.toSatisfy((labels) => Object.keys(labels ?? {}).length === 0),
      Status: { Holders: 0 },
    });
    expect((await stat(`${plugin.root}/data/files`)).mode & 0o777).toBe(0o750);
    await docker("volume", "rm", "data");
    expect(await readdir(plugin.root)).toEqual([]);
    expect(await volumes()).toEqual([""]);
  });

  test("what one container writes the next one reads, and a volume that is not there is made", async () => {
    await docker("run", "--rm", "--network=none", "--volume-driver=folders", "--volume=made:/v", "small", "true");
    await runOn("made", "echo kept > /v/file");
    expect(await runOn("made", "cat /v/file")).toBe("kept");
    expect(await holders("made")).toEqual([]);
    await docker("volume", "rm", "made");
  });

  test("two containers at once hold a volume twice", async () => {
    await createVolume("shared");
    await keepRunningOn("shared", "one");
    await keepRunningOn("shared", "two");
    await docker("exec", "one", "sh", "-c", "echo from one > /v/file");
    expect(await docker("exec", "two", "cat", "/v/file")).toBe("from one");
    expect(await inspect("shared")).toMatchObject({
      Mountpoint: `${plugin.root}/shared/files`,
      Status: { Holders: 2 },
    });
    await removeContainers("one");
    expect(await docker("exec", "two", "cat", "/v/file")).toBe("from one");
    expect(await holders("shared")).toHaveLength(1);
    await removeContainers("two");
    expect(await holders("shared")).toEqual([]);
    await docker("volume", "rm", "shared");
  });

  test("a container that was created but never started shows where its volume is: nowhere", async () => {
    await createVolume("unused");
    await docker("create", "--network=none", "--name=idle", "--volume=unused:/v", "small", "true");
    const [mount] = JSON.parse(await docker("inspect", "--format={{json .Mounts}}", "idle")) as [unknown];
    expect(mount).toMatchObject({ Name: "unused", Source: "", Driver: "folders" });
    await removeContainers("idle");
    await docker("volume", "rm", "unused");
  });

  test("a volume in use is not removed, whether Docker knows of its use or only the plugin does", async () => {
    await createVolume("used");
    await keepRunningOn("used", "user");
    await expect(docker("volume", "rm", "used")).rejects.toThrow(/volume is in use/);
    await removeContainers("user");
    const held = { Name: "used", ID: "somebody-else" };
    await post(plugin.socketPath(), "/VolumeDriver.Mount", held);
    await expect(docker("volume", "rm", "used")).rejects.toThrow(/volume "used" is in use by 1 holder/);
    await post(plugin.socketPath(), "/VolumeDriver.Unmount", held);
    await docker("volume", "rm", "used");
    expect(await volumes()).toEqual([""]);
  });

  test("Docker's user reads why the plugin refuses", async () => {
    await expect(createVolume("red", "color=red")).rejects.toThrow(
      'create red: VolumeDriver.Create: volume "red": unknown option "color"; known are mode, gate',
    );
    const refused = await createVolume("secret", "mode=hunter2").catch(String);
    expect(refused).toContain('volume "secret": bad value of option "mode"');
    expect(refused.slice(refused.indexOf("Error response"))).not.toContain("hunter2");
    expect(await readdir(plugin.root)).toEqual([]);
  });

  test.each(["SIGTERM", "SIGKILL"] as const)(
    "a running container and its daemon go on with a plugin that got %s and was started again",
    async (signal) => {
      await createVolume("lasting");
      await keepRunningOn("lasting", "witness");
      const { ino } = await stat(plugin.socketPath());
      const before = await holders("lasting");
      await plugin.end(signal);
      await docker("exec", "witness", "sh", "-c", "echo while it was away > /v/file");
      await plugin.start();
      expect((await stat(plugin.socketPath())).ino).not.toBe(ino);
      expect(await holders("lasting")).toEqual(before);
      expect(await inspect("lasting")).toMatchObject({ Status: { Holders: 1 } });
      await expect(docker("volume", "rm", "lasting")).rejects.toThrow(/volume is in use/);
      expect(await runOn("lasting", "cat /v/file")).toBe("while it was away");
      await removeContainers("witness");
      expect(await holders("lasting")).toEqual([]);
      await docker("volume", "rm", "lasting");
    },
  );

  test.each(["SIGTERM", "SIGKILL"] as const)("a daemon that got %s finds its volumes again", async (signal) => {
    await createVolume("found", "mode=700");
    await keepRunningOn("found", "finder");
    await docker("exec", "finder", "sh", "-c", "echo kept > /v/file");
    await engine.dockerd.end(signal);
    await engine.dockerd.start();
    expect(await volumes()).toEqual(["folders found"]);
    expect(await inspect("found")).toMatchObject({ Options: { mode: "700" } });
    await docker("start", "finder");
    expect(await docker("exec", "finder", "cat", "/v/file")).toBe("kept");
    await removeContainers("finder");
    expect(await holders("found")).toEqual([]);
    await docker("volume", "rm", "found");
  });

  test("a dead plugin takes nothing from a healthy one, and is back when it is started again", async () => {
    const dying = await startFolderVolumes(engine.namespace, "dying");
    await docker("volume", "create", "--driver", "dying", "buried");
    await createVolume("alive");
    await dying.end("SIGKILL");
    expect(await runOn("alive", "echo well > /v/file; cat /v/file")).toBe("well");
    expect(await volumes()).toContain("folders alive");
    await dying.start();
    expect((await volumes()).toSorted()).toEqual(["dying buried", "folders alive"]);
    await docker("volume", "rm", "alive", "buried");
    await dying.end("SIGTERM");
  });

  test("over TLS Docker and plugin know each other by their certificates", async () => {
    const secure = await startSecureFolderVolumes(engine.namespace, "secure");
    const sockets = await engine.namespace.run(["ls", "/run/docker/plugins"]);
    expect(sockets).not.toContain("secure");
    await docker("volume", "create", "--driver=secure", "sealed");
    await runOn("sealed", "echo kept > /v/file");
    expect(await runOn("sealed", "cat /v/file")).toBe("kept");
    expect(await inspect("sealed")).toMatchObject({ Driver: "secure", Scope: "local" });
    await docker("volume", "rm", "sealed");
    await secure.end("SIGTERM");
    expect(await engine.namespace.run(["ls", "/etc/docker/plugins"])).toBe("");
  });

  test("a driver that nobody serves is named", async () => {
    await expect(docker("volume", "create", "--driver", "nobody", "lost")).rejects.toThrow(
      'create lost: error looking up volume plugin nobody: plugin "nobody" not found',
    );
  });
}
