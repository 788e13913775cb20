/** Docker with a managed plugin that collects its metrics: one of the examples, in a bundle as Docker makes one of. */
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { makeBoundFiles } from "../../harness/engines/bound-files.ts";
import { runCommand } from "../../harness/processes/command.ts";
import { openEngine } from "../../harness/engines/engine.ts";
import { buildExample } from "../../harness/plugins/example.ts";
import { forky, machine, titleOf, trixie } from "../../harness/namespaces/release.ts";
import { builtinOverlay2, ofRelease } from "../../harness/engines/storage.ts";

for (const release of [machine, trixie, forky]) {
  const required = [...needsOf(release, "docker"), needs.overlay];
  describeWith(required, `metrics of ${titleOf(release, "docker")} for a managed plugin`, () => {
    test("are collected when it is enabled, and again when the daemon was started anew", async () => {
      await using engine = await openEngine(ofRelease(release, builtinOverlay2));
      const { docker, namespace, dockerd } = engine;
      const bundle = `${namespace.folder}/bundle`;
      await writeBundle(bundle, await buildExample("metrics-collector", `${namespace.folder}/example`));
      await using _ = await makeBoundFiles(namespace);
      await docker("plugin", "create", "collector", bundle);
      await docker("plugin", "enable", "collector");
      const id = await docker("plugin", "inspect", "--format", "{{.ID}}", "collector");
      const file = namespace.reach(`${dockerd.dataRoot}/plugins/${id}/rootfs/state/metrics.prom`);
      const collected = () => readFile(file, "utf8");
      expect(await collected()).toMatch(/^engine_daemon_engine_info\{.*version=/m);
      await dockerd.end("SIGTERM");
      await writeFile(file, "");
      await dockerd.start();
      expect(await collected()).toContain("engine_daemon_container_actions_seconds");
      await docker("plugin", "rm", "--force", "collector");
    });
  });
}

const config = {
  description: "collects Docker's metrics",
  documentation: "",
  entrypoint: ["/node", "/app/dist/metrics.js", "/run/docker/plugins/collector.sock", "/state/metrics.prom"],
  interface: { types: ["docker.metricscollector/1.0"], socket: "collector.sock" },
  network: { type: "none" },
  linux: {},
};

/** Node with its libraries, the example, and of this package and what it needs what the example imports. */
async function writeBundle(bundle: string, programs: string): Promise<void> {
  const root = `${bundle}/rootfs`;
  await mkdir(`${root}/state`, { recursive: true });
  await mkdir(`${root}/tmp`);
  await cp(process.execPath, `${root}/node`);
  const libraries = (await runCommand(["ldd", process.execPath])).match(/\/[^ )]+(?= \()/g) ?? [];
  for (const library of libraries) await cp(library, `${root}${library}`, { dereference: true });
  await cp(programs, `${root}/app/dist`, { recursive: true });
  await writeFile(`${root}/app/package.json`, JSON.stringify({ type: "module" }));
  const modules = `${root}/app/node_modules`;
  for (const part of ["package.json", "dist"]) await cp(part, `${modules}/cleat/${part}`, { recursive: true });
  await cp("node_modules/zod", `${modules}/zod`, { recursive: true });
  await writeFile(`${bundle}/config.json`, JSON.stringify(config));
}
