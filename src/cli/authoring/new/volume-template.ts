import type { ProjectTemplate } from "./project-template.ts";

/** A volume driver that keeps all that it knows in folders, so that it forgets nothing when it is killed. */
export const volumeTemplate: ProjectTemplate = {
  kind: "volume",
  summary: "A volume driver for Docker and Podman. Each volume is a folder.",
  page: "docs/volume-plugins.md",
  files: (name) => ({
    "src/driver.ts": driver(name),
    "src/main.ts": main(name),
    "src/driver.test.ts": kit,
  }),
};

const driver = (
  name: string,
) => `import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CleatError } from "cleat/errors";
import { assertVolumeName, type VolumeDriver } from "cleat/volume";

/**
 * Volumes below \`root\`, one folder each:
 *
 *     volumes/NAME/data        what containers see
 *     volumes/NAME/holders/ID  an empty file for each who has it mounted
 *     staged/                  what is being made or removed
 *
 * All that the driver knows is there, so that another process knows it too. A volume comes and goes by one rename.
 */
export async function openDriver(root: string): Promise<VolumeDriver> {
  const [volumes, staged] = [join(root, "volumes"), join(root, "staged")];
  await rm(staged, { recursive: true, force: true }); // left by a process that was killed
  await mkdir(staged, { recursive: true });
  await mkdir(volumes, { recursive: true });

  const dataOf = (name: string) => join(volumes, name, "data");
  const holdersOf = (name: string) => join(volumes, name, "holders");
  const holderFile = (name: string, id: string) => join(holdersOf(name), encodeURIComponent(id).slice(0, 255));

  async function isThere(name: string): Promise<boolean> {
    assertVolumeName(name);
    return access(dataOf(name)).then(
      () => true,
      () => false,
    );
  }

  async function find(name: string): Promise<string> {
    if (await isThere(name)) return dataOf(name);
    throw new CleatError("NOT_FOUND", \`volume "\${name}" does not exist\`);
  }

  return {
    name: "${name}",
    capabilities: async () => ({ scope: "local" }),
    async create(name, { options = {} } = {}) {
      const [unknown] = Object.keys(options);
      if (unknown !== undefined) throw new CleatError("INVALID_ARGUMENT", \`volume "\${name}": no option "\${unknown}"\`);
      if (await isThere(name)) return;
      const made = await mkdtemp(join(staged, "new-"));
      await mkdir(join(made, "data"));
      await mkdir(join(made, "holders"));
      try {
        await rename(made, join(volumes, name));
      } catch (error) {
        await rm(made, { recursive: true });
        if (!(await isThere(name))) throw error; // another call made it meanwhile
      }
    },
    list: async () => (await readdir(volumes)).map((name) => ({ name, mountpoint: dataOf(name) })),
    get: async (name) => ({ name, mountpoint: await find(name) }),
    path: find,
    async mount(name, id) {
      const path = await find(name);
      await writeFile(holderFile(name, id), "");
      return path; // a driver that mounts something does it here, unless it is mounted
    },
    async unmount(name, id) {
      await find(name);
      await rm(holderFile(name, id), { force: true });
    },
    async remove(name) {
      await find(name);
      if ((await readdir(holdersOf(name))).length > 0) {
        throw new CleatError("FAILED_PRECONDITION", \`volume "\${name}" is in use\`);
      }
      const gone = join(await mkdtemp(join(staged, "gone-")), "volume");
      await rename(join(volumes, name), gone);
      await rm(gone, { recursive: true });
    },
    close: async () => {},
  };
}
`;

const main = (name: string) => `import { resolve } from "node:path";
import { serve } from "cleat/plugin";
import { createVolumeDriverPlugin } from "cleat/volume";
import { openDriver } from "./driver.js";

// node dist/main.js [FOLDER] [SOCKET]: without a socket it listens where engines look for the plugin.
const [folder = "/var/lib/${name}", socket] = process.argv.slice(2);
const driver = await openDriver(resolve(folder));
const plugin = await serve({
  drivers: [createVolumeDriverPlugin({ driver })],
  listen: socket === undefined ? "${name}" : { unix: resolve(socket) },
});
console.log(\`serving at \${plugin.address}\`);
`;

const kit = `import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runVolumeDriverKit, volumeDriverChecks } from "cleat/testing";
import { openDriver } from "./driver.js";

// What volume drivers promise, in this process. \`npm run check\` does it over the wire, and kills the plugin meanwhile.
const folder = await mkdtemp(join(tmpdir(), "volumes-"));
after(() => rm(folder, { recursive: true }));

for (const { id, title } of volumeDriverChecks) {
  test(\`\${id}: \${title}\`, async (context) => {
    const [result] = await runVolumeDriverKit({ open: () => openDriver(folder), only: [id] });
    if (result?.outcome === "skipped") context.skip(result.reason);
    if (result?.outcome === "failed") throw result.error;
  });
}
`;
