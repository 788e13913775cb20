/** Files have the group that their entry says, whatever the kernel gives them. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { runWithPrivateMounts } from "../graphdriver/private-mounts.ts";

const subjects = ["ext4", "ext4 with folders' groups"] as const;

for (const fileSystem of subjects) {
  describeWith([needs.root, needs.loopDevices, needs.ext4], fileSystem, () => {
    test("what is applied into a folder of another group keeps its own", async () => {
      const lines: string[] = [];
      const script = join(import.meta.dirname, "folder-groups.mjs");
      await runWithPrivateMounts((folder) => [process.execPath, script, folder], {
        fileSystem,
        onLine: (line) => void lines.push(line),
      });
      expect(JSON.parse(lines.join("\n"))).toEqual({
        "home/root": "0:0 640",
        "home/user": "1000:1000 640",
        "home/new": "0:0 755",
        "home/new/root": "0:0 640",
        "home/new/user": "1000:1000 640",
      });
    });
  });
}
