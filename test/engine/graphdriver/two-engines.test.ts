/** Two daemons with a data root each call one plugin: the second is refused, and neither meets the other's layers. */
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { writeBaseArchive } from "../../harness/images/base-image.ts";
import { cleatCommand } from "../../harness/plugins/cleat.ts";
import { contentOfRunning, diffOf, keepRunning } from "../../harness/engines/containers.ts";
import { type Dockerd, startDockerd } from "../../harness/engines/dockerd.ts";
import { type Engine, openEngine } from "../../harness/engines/engine.ts";
import { sampleChanges } from "../../harness/images/sample-changes.ts";
import { cleatOverlay2 } from "../../harness/engines/storage.ts";

const needed = [needs.root, needs.dockerd, needs.overlay, needs.busybox, needs.attr];

describeWith(needed, "two engines on one plugin", () => {
  let first: Engine & AsyncDisposable;
  let second: Dockerd;
  let archive: string;
  let content: readonly string[];

  beforeAll(async () => {
    first = await openEngine(cleatOverlay2);
    archive = `${first.namespace.folder}/base.tar`;
    await writeBaseArchive(archive);
    await first.docker("import", archive, "base");
    await keepRunning(first, "box", "base", sampleChanges.script);
    content = await contentOfRunning(first, "box");
  });
  afterAll(() => first?.[Symbol.asyncDispose]());

  const { storageDriver } = cleatOverlay2;
  const secondRoot = () => `${first.namespace.folder}/second`;
  const startSecond = () =>
    startDockerd(first.namespace, { name: "dockerd-second", storageDriver, dataRoot: secondRoot() });
  const layersIn = async (dataRoot: string) =>
    (await readdir(`${dataRoot}/${storageDriver}`).catch(() => [])).filter((name) => /^[0-9a-f]{64}/.test(name)).length;
  const quoted = (home: string) => String.raw`home \\*"${home}\\*"`; // the daemon's log escapes quotes
  const refusal = (home: string, of: string, why: string) =>
    new RegExp(
      String.raw`${quoted(home)} is refused: this plugin serves ${quoted(of)} of process \d+[^;]*, which ${why}`,
    );
  const [firstHome, secondHome] = [() => first.home, () => `${secondRoot()}/${storageDriver}`];

  /** The first engine's running container has what it had, and everything that touches layers works. */
  async function expectFirstAtWork(): Promise<void> {
    expect(await contentOfRunning(first, "box")).toEqual(content);
    expect(await diffOf(first, "box")).toEqual(sampleChanges.diff);
    const layersOfSecond = await layersIn(secondRoot());
    const layers = await layersIn(first.dockerd.dataRoot);
    await first.docker("import", "--message", String(layers), archive, "more");
    await first.docker("run", "--name", "short", "--network", "none", "more", "touch", "/made");
    expect(await diffOf(first, "short")).toEqual(["A /made"]);
    await first.docker("rm", "short");
    await first.docker("rmi", "more");
    expect(await layersIn(first.dockerd.dataRoot)).toBe(layers);
    expect(await layersIn(secondRoot())).toBe(layersOfSecond);
  }

  test("the second is refused with both homes, and the first goes on", async () => {
    await expect(startSecond()).rejects.toThrow(refusal(secondHome(), firstHome(), "has not said Cleanup"));
    await expectFirstAtWork();
  });

  test("the second is refused by a plugin that was killed and started again, while the first goes on", async () => {
    await first.cleat?.end("SIGKILL");
    await first.cleat?.start();
    await expect(startSecond()).rejects.toThrow(refusal(secondHome(), firstHome(), "has not said Cleanup"));
    await expectFirstAtWork();
  });

  test("the second is refused after the first was killed, which then finds all again", async () => {
    await first.dockerd.end("SIGKILL");
    await expect(startSecond()).rejects.toThrow(refusal(secondHome(), firstHome(), "has ended without Cleanup"));
    await first.dockerd.start();
    await first.docker("start", "box");
    await expectFirstAtWork();
  });

  test("once the first has stopped, the second is served, the first refused; a dead one is let go", async () => {
    await first.dockerd.end("SIGTERM");
    const layers = await layersIn(first.dockerd.dataRoot);
    second = await startSecond();
    const engine = { docker: second.docker, namespace: first.namespace };
    await second.docker("import", archive, "base");
    await keepRunning(engine, "box", "base", sampleChanges.script);
    await expect(first.dockerd.start()).rejects.toThrow(refusal(firstHome(), secondHome(), "has not said Cleanup"));
    expect(await diffOf(engine, "box")).toEqual(sampleChanges.diff);
    expect(await layersIn(first.dockerd.dataRoot)).toBe(layers);

    const letGo = [...cleatCommand, "call", storageDriver, "GraphDriver.Cleanup"];
    await expect(first.namespace.run(letGo)).rejects.toThrow(/Cleanup of process \d+ .*is refused/);
    await second.end("SIGKILL");
    await first.cleat?.end("SIGKILL");
    await first.cleat?.start();
    await expect(first.dockerd.start()).rejects.toThrow(
      refusal(firstHome(), secondHome(), "has ended without Cleanup"),
    );
    await first.namespace.run(letGo);
    await first.dockerd.start();
    await first.docker("start", "box");
    await expectFirstAtWork();
  });
});
