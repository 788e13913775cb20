/**
 * Drivers on a file system that keeps whole seconds, as ext4 with small inodes does: two states of a file can look
 * alike, and nothing that is written may be lost for it.
 */
import { join } from "node:path";

import { expect, test } from "vitest";

import { graphDriverChecks } from "cleat/testing";

import { describeWith, needs } from "../../needs.ts";
import type { KitResult } from "./kit-runs.ts";
import { runWithPrivateMounts } from "./private-mounts.ts";

const only = graphDriverChecks.map(({ id }) => id).filter((id) => /^(same-times|generations)\//.test(id));

const subjects = [
  { driver: "overlay2", more: [needs.overlay] },
  { driver: "fuse-overlayfs", more: [needs.fuseOverlayfs] },
  { driver: "vfs", more: [] },
] as const;

for (const { driver, more } of subjects) {
  describeWith([needs.root, needs.loopDevices, needs.ext4, ...more], driver, () => {
    test("finds each of the changes that fall into one second", async () => {
      const results: KitResult[] = [];
      const command = (folder: string) => {
        const request = { driver, opener: "inProcess", folder, only };
        return [process.execPath, join(import.meta.dirname, "kit-process.mjs"), JSON.stringify(request)];
      };
      const onLine = (line: string) => void results.push(JSON.parse(line) as KitResult);
      await runWithPrivateMounts(command, { fileSystem: "ext4 with whole seconds", onLine });
      expect(results.map(({ id, outcome, error }) => ({ id, outcome, error }))).toEqual(
        only.map((id) => ({ id, outcome: "passed", error: undefined })),
      );
    });
  });
}
