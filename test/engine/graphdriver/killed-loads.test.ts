/**
 * Docker, Cleat, or both are killed while an image of ten layers is loaded: both start again, an image that is listed
 * runs with all its layers, and the image can be loaded. A hundred times at night. A dockerd that is killed forgets the
 * layer that it was filling, with its own drivers, too; nothing else is left.
 */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Engine, openEngine } from "../../harness/engines/engine.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { leftovers, removeEverything } from "../../harness/engines/leftovers.ts";
import { cleatOverlay2 } from "../../harness/engines/storage.ts";
import { until } from "../../harness/processes/until.ts";
import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";

const [times] = byDayOrNight([1], [100]) as [number];
const victims = [["dockerd", "cleat"], ["cleat"], ["dockerd"]] as const;
const layers = 10;
const layerId = /^[0-9a-f]{64}$/;

const timesOf = (victim: "dockerd" | "cleat") =>
  Array.from({ length: times }).filter((_, time) => victimsOf(time).includes(victim)).length;
const victimsOf = (time: number): readonly ("dockerd" | "cleat")[] => victims[time % victims.length] ?? [];

const countFiles = [
  "sh",
  "-c",
  'n=0; for f in /layer-*/*; do n=$((n+1)); read -r l <"$f"; [ "$l" = "$f" ] || exit 1; done; echo $n',
];
const filesOfLayer = 40;

describeWith([...cleatOverlay2.needs, needs.busybox], "a load of ten layers in which processes are killed", () => {
  let engine: Engine & AsyncDisposable;
  let archive: string;
  beforeAll(async () => {
    engine = await openEngine(cleatOverlay2);
    archive = `${engine.namespace.folder}/ten.tar`;
    const above = Array.from({ length: layers - 1 }, (_, at) => ({
      name: `layer-${at}`,
      fill: fillLayer(`layer-${at}`),
    }));
    await writeImageArchive(archive, "localhost/ten", [shellLayer, ...above], countFiles);
  });
  afterAll(() => engine?.[Symbol.asyncDispose]());

  test("leaves an engine that starts, and images that run", { timeout: times * 60_000 }, async () => {
    const outcomes = new Set<string>();
    for (let time = 0; time < times; time++) {
      const killed = victimsOf(time);
      const loading = engine.docker("load", "--input", archive).then(
        () => "loaded",
        () => "failed",
      );
      await untilLayers(1 + ((time * 7) % layers), loading);
      for (const victim of killed) await engine[victim]?.end("SIGKILL");
      for (const victim of killed.toReversed()) await engine[victim]?.start();
      outcomes.add(await loading);
      const isListed = (await engine.docker("images", "--quiet", "localhost/ten")) !== "";
      if (isListed) await expectRuns();
      await engine.docker("load", "--input", archive);
      await expectRuns();
      await removeEverything(engine);
    }
    if (times > 1) expect(outcomes).toContain("failed");
    await engine.cleat?.end("SIGTERM");
    await engine.cleat?.start();
    await engine.docker("info"); // which opens the store again
    const left = await leftovers(engine);
    expect(left.mounts).toEqual([]);
    const forgotten = left.layers.filter((name) => layerId.test(name));
    expect(forgotten.length).toBeLessThanOrEqual(timesOf("dockerd"));
  });

  const expectRuns = async () =>
    expect(await engine.docker("run", "--rm", "--network", "none", "localhost/ten")).toBe(
      String((layers - 1) * filesOfLayer),
    );

  /** Until so many layers were begun, or the load has ended. */
  async function untilLayers(count: number, loading: Promise<unknown>): Promise<void> {
    let ended = false;
    void loading.then(() => (ended = true));
    await until(`${count} layers`, async () => {
      const names = await readdir(engine.namespace.reach(engine.home)).catch(() => []);
      return ended || names.filter((name) => layerId.test(name)).length >= count || undefined;
    });
  }
});

function fillLayer(name: string) {
  return async (tree: string) => {
    await mkdir(`${tree}/${name}`);
    for (let at = 0; at < filesOfLayer; at++)
      await writeFile(`${tree}/${name}/${at}`, `/${name}/${at}\n${"x".repeat(20_000)}\n`);
  };
}
