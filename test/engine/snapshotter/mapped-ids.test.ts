/** Containers in a user namespace on Cleat's snapshotter, whose layers containerd mounts with mapped ids. */
import { stat } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { type Containerd, startContainerd } from "../../harness/containerd/containerd.ts";
import { createCtr, type Ctr } from "../../harness/containerd/ctr.ts";
import { layeredImage, writeLayeredArchive } from "../../harness/images/layered-image.ts";
import { openNamespace, type Namespace } from "../../harness/namespaces/namespace.ts";
import { type EngineRelease, forky, titleOf } from "../../harness/namespaces/release.ts";
import { startSnapshotter } from "../../harness/containerd/snapshotter.ts";

/**
 * That of Debian 13 (1.7.24) mounts nothing with mapped ids on Linux 6.18: EINVAL. Its own overlayfs finds that out and
 * copies files; a proxy is asked for what its configuration says.
 */
const releases = byDayOrNight<EngineRelease>([], [forky]);

if (releases.length === 0) test.skip("mapped ids are tested at night", () => {});

for (const release of releases) {
  const required = [...needsOf(release, "containerd"), needs.overlay, needs.busybox, needs.attr];
  describeWith(required, `mapped ids with ${titleOf(release, "containerd")}`, () => {
    let namespace: Namespace;
    let containerd: Containerd;
    let ctr: Ctr;

    beforeAll(async () => {
      namespace = await openNamespace(release);
      const archive = `${namespace.folder}/layered.tar`;
      await writeLayeredArchive(archive);
      const options = { name: "cleat", driver: "overlay2", arguments: ["--remap-ids"] };
      const cleat = await startSnapshotter(namespace, options);
      containerd = await startContainerd(namespace, { proxies: [cleat], capabilities: ["remap-ids"] });
      ctr = createCtr(namespace, containerd, { space: "subject", snapshotter: cleat.name });
      await ctr.importImages(archive);
    });
    afterAll(() => namespace?.[Symbol.asyncDispose]());

    test("root of a container owns the image's files, and is nobody outside", async () => {
      const before = await ctr.names();
      const maps = ["--uidmap=0:100000:65536", "--gidmap=0:200000:65536", "--remap-labels"];
      const words = ["run", "--detach", `--snapshotter=${ctr.snapshotter}`, ...maps, layeredImage, "mapped"];
      await containerd.ctr("subject", ...words, "sleep", "3600");
      expect(await ctr.exec("mapped", "cat /proc/self/uid_map | tr -s ' '")).toBe(" 0 100000 65536");
      expect(await ctr.exec("mapped", "stat -c %u:%g / /layers /layers/replaced/two | sort -u")).toBe("0:0");
      await ctr.exec("mapped", "echo own > /data/own; echo more >> /layers/replaced/two; rm -r /data/renamed; true");
      expect(await ctr.exec("mapped", "stat -c %u:%g /data/own /layers/replaced/two | sort -u")).toBe("0:0");
      // Where ids are mapped by copying, containerd makes a snapshot of the copy, too.
      const made = (await ctr.names()).filter((name) => !before.includes(name));
      expect(made).toEqual(["mapped"]);
      const mounts = await ctr.snapshots("mounts", "/mnt", "mapped");
      const upper = /upperdir=([^,\s]+)/.exec(mounts)?.[1] ?? "";
      const { uid, gid } = await stat(`${upper}/data/own`);
      expect([uid, gid]).toEqual([100_000, 200_000]);
    });

    test("another container of the image has it as it was", async () => {
      await ctr.run(layeredImage, "plain");
      expect(await ctr.exec("plain", "cat /layers/replaced/two; stat -c %u:%g /layers/replaced/two")).toBe(
        "replaced/two\n0:0",
      );
    });
  });
}
