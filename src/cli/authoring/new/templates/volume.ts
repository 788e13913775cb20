import { kitOf, mainOf, type ProjectTemplate } from "../project-template.ts";

/** What is written is what only its author can know: state, holders, order and checks are those of managed volumes. */
export const volumeTemplate: ProjectTemplate = {
  kind: "volume",
  implements: "VolumeDriver",
  summary: "A volume driver for Docker and Podman. It begins with volumes that are folders.",
  page: "docs/volume-plugins.md",
  files: (name) => ({
    "src/driver.ts": driver(name),
    "src/main.ts": mainOf(name, {
      serve: ["createVolumeDriverPlugin", "cleat/volume"],
      open: "openDriver",
      given: "{ driver }",
    }),
    "src/driver.test.ts": kitOf({
      checks: "volumeDriverChecks",
      run: "runVolumeDriverKit",
      open: "openDriver",
      given: "open: () => openDriver(folder)",
    }),
  }),
};

const driver = (name: string) => `import { type ManagedVolumes, openManagedVolumes } from "cleat/volumedrivers";

/**
 * Volumes that are folders. Names, options, who has a volume mounted, what outlives this process: all that is done.
 * What is left is how files come to be: \`create\`, \`mount\`, \`unmount\`, \`remove\`, of which only \`mount\` is
 * needed. The manual is at \`VolumeBackend\`.
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
