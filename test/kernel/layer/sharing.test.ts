/**
 * Files of a copied tree share their blocks with the first one where the file system has that, and stay copies
 * elsewhere.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { type LoopFileSystem, runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const mebibyte = 2 ** 20;
const largeBytes = 17 * mebibyte + 123;
/** One of the two files of a mebibyte or seven bytes has other bytes, the other another length. */
const differentBytes = mebibyte + "shorter".length;

async function shareOn(fileSystem: LoopFileSystem): Promise<Record<string, unknown>> {
  const lines: string[] = [];
  const script = join(import.meta.dirname, "share-content.mjs");
  await runWithPrivateMounts((folder) => [process.execPath, script, folder], {
    fileSystem,
    onLine: (line) => void lines.push(line),
  });
  return JSON.parse(lines.join("\n")) as Record<string, unknown>;
}

const sharing = byDayOrNight(
  [{ fileSystem: "xfs", need: needs.xfs }] as const,
  [{ fileSystem: "btrfs", need: needs.btrfs }] as const,
);

for (const { fileSystem, need } of sharing) {
  describeWith([needs.root, needs.loopDevices, need], fileSystem, () => {
    test("shares what is alike, and changes nothing", async () => {
      const told = await shareOn(fileSystem);
      const content = { sharedBytes: largeBytes + "small".length, copiedBytes: differentBytes };
      expect(told).toMatchObject({
        first: content,
        again: content,
        isUnchanged: true,
        isApart: true,
        saysShared: true,
      });
      expect(told["gained"]).toBeGreaterThan(16 * mebibyte);
    });
  });
}

const copying = byDayOrNight(
  [{ fileSystem: "ext4", need: needs.ext4 }] as const,
  [{ fileSystem: "xfs without reflink", need: needs.xfs }] as const,
);

for (const { fileSystem, need } of copying) {
  describeWith([needs.root, needs.loopDevices, need], fileSystem, () => {
    test("leaves copies, and says so", async () => {
      const content = { sharedBytes: 0, copiedBytes: largeBytes + "small".length + differentBytes };
      const told = await shareOn(fileSystem);
      expect(told).toMatchObject({ first: content, again: content, isUnchanged: true, isApart: true });
    });
  });
}
