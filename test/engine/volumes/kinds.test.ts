/**
 * Docker and Podman with a volume of each kind that Cleat brings along, all in the same containers: what is shared,
 * given back and kept is so for each, whoever is killed. By day those that need no server, at night all.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { volumeProgramsFolder } from "#scripts/unpacked/volume-programs.mjs";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { type CleatVolumes, forgetMounts, programsOf, startCleatVolumes } from "../../harness/volumes/cleat-volumes.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { type Namespace, openNamespace } from "../../harness/namespaces/namespace.ts";
import {
  type EngineName,
  type EngineRelease,
  forky,
  machine,
  titleOf,
  trixie,
} from "../../harness/namespaces/release.ts";
import {
  dockerOnVolumes,
  type EngineOnVolumes,
  interruptionNames,
  podmanOnVolumes,
} from "../../harness/volumes/engines-on-volumes.ts";
import { hostKinds, servedKinds, type VolumeKind } from "../../harness/volumes/volume-kinds.ts";
import { atNight } from "../../night.ts";

/** A test is some hundred commands of an engine. */
vi.setConfig({ testTimeout: 300_000 });

const engines: readonly [EngineName, readonly EngineRelease[]][] = [
  ["docker", atNight ? [machine, trixie, forky] : [forky]],
  ["podman", atNight ? [machine, trixie, forky] : [machine]],
];
for (const [engine, releases] of engines) {
  for (const release of releases) {
    const required = [...needsOf(release, engine), needs.overlay, needs.busybox, needs.loopDevices];
    if (atNight) required.push(needs.volumePrograms);
    describeWith(required, `volumes of each kind under ${titleOf(release, engine)}`, () => withEngine(release, engine));
  }
}

function withEngine(release: EngineRelease, engine: EngineName): void {
  let namespace: Namespace;
  let plugin: CleatVolumes;
  let subject: EngineOnVolumes;
  let kinds: readonly VolumeKind[];

  beforeAll(async () => {
    namespace = await openNamespace(release, { folders: atNight ? [volumeProgramsFolder] : [] });
    kinds = [...(await hostKinds(namespace)), ...(atNight ? await servedKinds(namespace) : [])];
    plugin = await startCleatVolumes(namespace, "cleat");
    subject = await (engine === "docker" ? dockerOnVolumes(namespace, release) : podmanOnVolumes(namespace, plugin));
    const archive = `${namespace.folder}/small.tar`;
    await writeImageArchive(archive, "small", [shellLayer]);
    await command("load", "--input", archive);
  });
  afterAll(() => namespace?.[Symbol.asyncDispose]());

  const command = (...args: string[]) => subject.command(...args);
  const exec = (container: string, script: string) => command("exec", container, "sh", "-c", script);
  const create = (name: string, options: VolumeKind["options"]) => {
    const given = Object.entries(options).map(([option, value]) => `--opt=${option}=${value}`);
    return command("volume", "create", "--driver=cleat", ...given, name);
  };
  const createAll = async () => {
    await create("origin", {});
    await start("maker", ["origin"]);
    await exec("maker", "echo -n theirs > /v/origin/theirs");
    await remove("maker");
    for (const { name, options } of kinds) await create(name, options);
  };
  const names = () => kinds.map(({ name }) => name);
  const start = (container: string, volumes: readonly string[], ...options: string[]) => {
    const mounts = volumes.map((name) => `--volume=${name}:/v/${name}`);
    const run = ["run", "--detach", "--network=none", "--stop-signal=SIGKILL", `--name=${container}`];
    return command(...run, ...options, ...mounts, "small", "sleep", "3600");
  };
  const remove = (...containers: string[]) => command("rm", "--force", ...containers);
  const removeAll = () => command("volume", "rm", ...[...names()].reverse(), "origin");
  const holdersOf = async (name: string) => {
    const [volume] = JSON.parse(await command("volume", "inspect", name)) as [{ Status: { Mounts: number } }];
    return volume.Status.Mounts;
  };
  const holders = async () => Promise.all(names().map(holdersOf));
  const write = async (container: string, text: string) => {
    for (const { name, isReadOnly } of kinds) {
      const written = exec(container, `echo -n ${text}-${name} > /v/${name}/file`);
      if (isReadOnly) await expect(written).rejects.toThrow(/Read-only file system/);
      else await written;
    }
  };
  /** Of what forgets when it is unmounted only where it is known whether it was. */
  const assertContents = async (container: string, text: string, isMountedAnew?: boolean) => {
    for (const { name, theirs, isReadOnly, isForgetful } of kinds) {
      if (theirs !== undefined) expect(await exec(container, `cat /v/${name}/theirs`), name).toBe(theirs);
      if (isReadOnly || (isForgetful && isMountedAnew === undefined)) continue;
      const read = exec(container, `cat /v/${name}/file`);
      if (isForgetful && isMountedAnew) await expect(read, name).rejects.toThrow(/No such file/);
      else expect(await read, name).toBe(`${text}-${name}`);
    }
  };
  const assertOptions = async () => {
    for (const { name, type, options } of kinds) {
      const [volume] = JSON.parse(await command("volume", "inspect", name)) as [Record<string, unknown>];
      expect(volume, name).toMatchObject({ Driver: "cleat", Status: { Type: type } });
      expect(volume["Options"] ?? {}, name).toEqual(options);
      expect(JSON.stringify(volume["Status"]), name).not.toContain("s3cr3t");
    }
  };
  const mounted = () => kinds.filter(({ isPlain }) => !isPlain).map(({ name }) => `${plugin.root}/mounts/${name}`);

  test("have their options, are shared through a plugin that is killed, and given back after the last", async () => {
    await createAll();
    await assertOptions();
    await start("one", names());
    await write("one", "first");
    await plugin.end("SIGKILL");
    await assertContents("one", "first", false);
    await plugin.start();
    await start("two", names());
    await assertContents("two", "first", false);
    await write("two", "second");
    await assertContents("one", "second", false);
    expect(await holders()).toEqual(names().map(() => subject.holdersOfTwo));
    for (const name of names()) await expect(command("volume", "rm", name), name).rejects.toThrow(/in use|being used/);
    await remove("one");
    expect((await plugin.mounts()).toSorted()).toEqual(mounted().toSorted());
    await assertContents("two", "second", false);
    await remove("two");
    expect(await plugin.mounts()).toEqual([]);
    await start("three", names());
    await assertContents("three", "second", true);
    await remove("three");
    await removeAll();
    expect(await command("volume", "ls", "--quiet")).toBe("");
  });

  describe.runIf(atNight)("whoever is killed", () => {
    test.each(interruptionNames)("%s: they are found again, and given back", async (interruption) => {
      await createAll();
      await start("one", names());
      await write("one", "kept");
      const outcome = await subject.interruptions[interruption]("one");
      expect((await command("volume", "ls", "--quiet")).split("\n").toSorted()).toEqual(
        [...names(), "origin"].toSorted(),
      );
      await assertOptions();
      await (outcome === "gone" ? start("one", names()) : command("start", "one"));
      await start("two", names());
      await assertContents("one", "kept");
      await assertContents("two", "kept");
      await write("two", "shared");
      await assertContents("one", "shared", false);
      await remove("one", "two");
      // A Podman that is killed has counted a mount for nobody: it gives that back when the volume is removed.
      if (engine === "docker") expect(await holders()).toEqual(names().map(() => 0));
      if (engine === "docker") expect(await plugin.mounts()).toEqual([]);
      await removeAll();
      expect(await plugin.mounts()).toEqual([]);
    });

    test("have their files when the machine was started anew, and no earlier holder is left", async () => {
      await createAll();
      await start("back", names());
      await start("gone", names());
      await write("back", "kept");
      const pids = (await command("inspect", "--format={{.State.Pid}}", "back", "gone")).split("\n");
      await plugin.end("SIGKILL");
      await subject.goDown();
      const all = [...pids, ...(await programsOf(namespace, plugin))];
      await namespace.run(["sh", "-c", 'kill -KILL "$@"', "sh", ...all]);
      await forgetMounts(namespace, plugin, "11111111-2222-3333-4444-555555555555");
      await plugin.start();
      await subject.comeUp();
      await command("start", "back");
      await assertContents("back", "kept", true);
      expect(await holders()).toEqual(names().map(() => 1));
      await remove("back", "gone");
      expect(await plugin.mounts()).toEqual([]);
      await removeAll();
    });
  });
}
