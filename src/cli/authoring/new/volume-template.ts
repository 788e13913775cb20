import type { ProjectTemplate } from "./project-template.ts";

/** What is written is what only its author can know: state, holders, order and checks are those of managed volumes. */
export const volumeTemplate: ProjectTemplate = {
  kind: "volume",
  implements: "VolumeDriver",
  summary: "A volume driver for Docker and Podman. It begins with volumes that are folders.",
  page: "docs/volume-plugins.md",
  files: (name) => ({
    "src/driver.ts": driver(name),
    "src/main.ts": main(name),
    "src/driver.test.ts": kit,
  }),
};

const driver = (name: string) => `import { type ManagedVolumes, openManagedVolumes } from "cleat/volumedrivers";

/**
 * Volumes that are folders. Names, options, who has a volume mounted, what outlives this process: all that is done. What is
 * left is how files come to be: \`create\`, \`mount\`, \`unmount\`, \`remove\`, of which only \`mount\` is needed. The manual
 * is at \`VolumeBackend\`.
 */
export function openDriver(folder: string): Promise<ManagedVolumes> {
  return openManagedVolumes({
    name: "${name}",
    folder,
    options: {}, // what users may give with --opt: { size: sizeOption().optional() }
    mount: async (volume) => volume.folder, // or mount something at volume.target, and return nothing
  });
}
`;

const main = (name: string) => `import { resolve } from "node:path";
import { serve } from "cleat/plugin";
import { createVolumeDriverPlugin } from "cleat/volume";
import { openDriver } from "./driver.js";

// node dist/main.js [FOLDER] [SOCKET]: without a socket it listens where engines look for the plugin.
const [folder = "/var/lib/${name}", socket] = process.argv.slice(2);
const isPassed = process.env["LISTEN_FDS"] !== undefined; // by systemd
const driver = await openDriver(resolve(folder));
const plugin = await serve({
  drivers: [createVolumeDriverPlugin({ driver })],
  listen: socket !== undefined ? { unix: resolve(socket) } : isPassed ? { systemd: true } : "${name}",
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
