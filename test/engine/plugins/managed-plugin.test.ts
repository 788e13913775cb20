/** What cleat new begins and cleat pack packs, as a managed plugin of a real Docker. */
import { execFileSync } from "node:child_process";
import { cp, mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { makeBoundFiles } from "../../harness/engines/bound-files.ts";
import { openEngine } from "../../harness/engines/engine.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { forky, machine, titleOf, trixie } from "../../harness/namespaces/release.ts";
import { builtinOverlay2, ofRelease } from "../../harness/engines/storage.ts";
import { describeWith, needs, needsOf } from "../../needs.ts";

const cleat = join(import.meta.dirname, "../../..");
const main = join(cleat, "dist/cli/main.js");

/** A volume driver's project, built, and packed for Docker in `folder`. */
async function packProject(folder: string): Promise<string> {
  const project = join(folder, "begun");
  execFileSync(process.execPath, [main, "new", "volume", "begun", "--folder", project]);
  const modules = join(project, "node_modules");
  await mkdir(join(modules, "@types"), { recursive: true });
  await symlink(join(cleat, "node_modules/@types/node"), join(modules, "@types/node"));
  await cp(join(cleat, "dist"), join(modules, "cleat/dist"), { recursive: true });
  await cp(join(cleat, "package.json"), join(modules, "cleat/package.json"));
  const { dependencies } = JSON.parse(await readFile(join(cleat, "package.json"), "utf8")) as { dependencies: object };
  for (const name of Object.keys(dependencies)) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(cleat, "node_modules", name), join(modules, name));
  }
  execFileSync(join(cleat, "node_modules/.bin/tsc"), { cwd: project });
  const bundle = join(folder, "bundle");
  execFileSync(process.execPath, [main, "pack", "docker", project, "--out", bundle]);
  return bundle;
}

for (const release of [machine, trixie, forky]) {
  const required = [...needsOf(release, "docker"), needs.overlay, needs.busybox];
  describeWith(required, `a managed plugin of ${titleOf(release, "docker")}`, () => {
    test("is created, enabled, keeps files, and knows them when it is enabled again", async () => {
      await using engine = await openEngine(ofRelease(release, builtinOverlay2));
      const folder = engine.namespace.folder; // where the engine sees it
      const bundle = await packProject(folder);
      const archive = join(folder, "small.tar");
      await writeImageArchive(archive, "small", [shellLayer]);
      const docker = (...args: string[]) => engine.dockerd.docker(...args);
      await docker("load", "--input", archive);
      const run = (script: string) =>
        docker("run", "--rm", "--network=none", "--volume=data:/v", "small", "sh", "-c", script);

      await using _ = await makeBoundFiles(engine.namespace);
      await docker("plugin", "create", "begun", bundle);
      await docker("plugin", "enable", "begun");
      await docker("volume", "create", "--driver=begun", "data");
      await run("echo kept > /v/file");
      await docker("plugin", "disable", "--force", "begun");
      await docker("plugin", "enable", "begun");
      expect(await run("cat /v/file")).toBe("kept");
      await docker("volume", "rm", "data");
      expect(await docker("volume", "ls", "--quiet")).toBe("");
      await docker("plugin", "rm", "--force", "begun");
    });
  });
}
