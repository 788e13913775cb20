/**
 * containerd on Cleat's snapshotter, beside its own overlayfs: the same steps show the same, whatever ends on the way.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { sampleChanges } from "../../harness/images/sample-changes.ts";
import { type Containerd, startContainerd } from "../../harness/containerd/containerd.ts";
import { createCtr, type Ctr } from "../../harness/containerd/ctr.ts";
import {
  layeredImage,
  layeredSigns,
  slowImage,
  writeLayeredArchive,
  writeSlowArchive,
} from "../../harness/images/layered-image.ts";
import { openNamespace, type Namespace } from "../../harness/namespaces/namespace.ts";
import { forky, titleOf } from "../../harness/namespaces/release.ts";
import { containerdRows, storageTitle } from "../../harness/containerd/snapshotter-rows.ts";
import {
  nothingLeft,
  snapshotterLayers,
  snapshotterLeftovers,
} from "../../harness/containerd/snapshotter-leftovers.ts";
import { startSnapshotter, type SnapshotterProcess } from "../../harness/containerd/snapshotter.ts";
import { until } from "../../harness/processes/until.ts";

for (const storage of containerdRows) {
  const { release, driver, fileSystem, needs: own } = storage;
  const required = [...needsOf(release, "containerd"), needs.overlay, needs.busybox, needs.attr, ...own];
  describeWith(required, `${titleOf(release, "containerd")} on ${storageTitle(storage, "its own overlayfs")}`, () => {
    let namespace: Namespace;
    let cleat: SnapshotterProcess | undefined;
    let containerd: Containerd;
    let archive: string;
    /** Does the same on containerd's own overlayfs. */
    let control: Ctr;
    let ctr: Ctr;

    beforeAll(async () => {
      namespace = await openNamespace(release);
      archive = `${namespace.folder}/layered.tar`;
      await writeLayeredArchive(archive);
      if (driver !== undefined) cleat = await startSnapshotter(namespace, { name: "cleat", driver, fileSystem });
      containerd = await startContainerd(namespace, { proxies: cleat === undefined ? [] : [cleat] });
      control = createCtr(namespace, containerd, { space: "control", snapshotter: "overlayfs" });
      ctr = createCtr(namespace, containerd, { space: "subject", snapshotter: cleat?.name ?? "overlayfs" });
      await control.importImages(archive);
    });
    afterAll(() => namespace?.[Symbol.asyncDispose]());

    test("an image holds what it holds on overlayfs", async () => {
      await ctr.importImages(archive);
      const content = await ctr.contentOfImage(layeredImage);
      expect(content).toEqual(await control.contentOfImage(layeredImage));
      const names = content.map((line) => line.split(" ")[0]);
      expect(names).toEqual(expect.arrayContaining(layeredSigns.present));
      for (const name of layeredSigns.gone) expect(names).not.toContain(name);
    });

    // What ctr imports it asks for by name since version 2.
    if (driver !== undefined && release === forky)
      test("another namespace gets what is unpacked already", async () => {
        const { layers } = await snapshotterLayers(namespace, cleat!);
        const other = createCtr(namespace, containerd, { space: "adopting", snapshotter: ctr.snapshotter });
        await other.importImages(archive);
        expect((await snapshotterLayers(namespace, cleat!)).layers).toEqual(layers);
        expect(await other.contentOfImage(layeredImage)).toEqual(await ctr.contentOfImage(layeredImage));
        await other.removeEverything();
        expect((await snapshotterLayers(namespace, cleat!)).layers).toEqual(layers);
      });

    test("every snapshot takes room", async () => {
      const rows = (await ctr.snapshots("usage", "-b")).split("\n").slice(1);
      const sizes = rows.map((row) => Number(row.trim().split(/\s+/)[1]));
      expect(sizes).toHaveLength((await ctr.names()).length);
      for (const size of sizes) expect(size).toBeGreaterThan(0);
    });

    test("a container sees its changes, and they are its layer", async () => {
      for (const one of [control, ctr]) {
        await one.run(layeredImage, "c1");
        await one.exec("c1", sampleChanges.script);
      }
      const content = await ctr.contentOfRunning("c1");
      expect(content).toEqual(await control.contentOfRunning("c1"));
      expect(content.join("\n")).toContain("./renamed-folder-to/two");
      const diff = await ctr.diffOf("c1");
      expect(diff).toEqual(await control.diffOf("c1"));
      expect(diff.join("\n")).toContain("data/.wh.renamed-folder");
    });

    test("what is committed is what the next container gets", async () => {
      for (const one of [control, ctr]) {
        await one.run(layeredImage, "c2");
        await one.exec("c2", sampleChanges.script);
        await one.stop("c2");
        await one.snapshots("commit", "committed", "c2");
        await one.snapshots("prepare", "next", "committed");
      }
      expect(await ctr.contentOfSnapshot("next")).toEqual(await control.contentOfSnapshot("next"));
      await expect(ctr.snapshots("rm", "committed")).rejects.toThrow(/child/);
      await ctr.snapshots("rm", "next");
      await ctr.snapshots("rm", "committed");
      expect(await ctr.names()).not.toContain("committed");
    });

    /** The container `c1` goes on reading and writing, and its snapshot is what it was. */
    async function expectAlive(pid: number, word: string): Promise<void> {
      expect(await ctr.pidOf("c1")).toBe(pid);
      expect(await ctr.exec("c1", `echo ${word} > /data/word; cat /data/word /data/modified`)).toContain(word);
      expect((await ctr.contentOfRunning("c1")).join("\n")).toContain("./renamed-folder-to/two");
    }

    /** A new container can be made, and removed. */
    async function expectWorking(): Promise<void> {
      await ctr.run(layeredImage, "c3");
      expect(await ctr.exec("c3", "cat /layers/replaced/two")).toBe("replaced/two");
      await ctr.stop("c3");
      await containerd.ctr("subject", "containers", "delete", "c3");
    }

    test.each(["SIGTERM", "SIGKILL"] as const)("a containerd that got %s finds its container again", async (signal) => {
      const pid = await ctr.pidOf("c1");
      await containerd.end(signal);
      await containerd.start();
      await expectAlive(pid, `containerd-${signal}`);
      await expectWorking();
    });

    if (driver !== undefined)
      describe("where Cleat is ended", () => {
        const untilReached = () =>
          until("containerd to reach Cleat again", () =>
            ctr.names().then(
              (names) => (names.includes("c1") ? true : undefined),
              () => undefined,
            ),
          );

        test.each(["SIGTERM", "SIGKILL"] as const)(
          "with %s, a running container goes on, before and after",
          async (signal) => {
            const pid = await ctr.pidOf("c1");
            const before = await ctr.names();
            await cleat?.end(signal);
            await expectAlive(pid, `away-${signal}`);
            await cleat?.start();
            await untilReached();
            expect(await ctr.names()).toEqual(before);
            await expectAlive(pid, `back-${signal}`);
            await expectWorking();
          },
        );

        test("while an image is unpacked, the image is whole when it is imported again", async () => {
          const slow = `${namespace.folder}/slow.tar`;
          await writeSlowArchive(slow);
          await control.importImages(slow);
          const other = createCtr(namespace, containerd, { space: "interrupted", snapshotter: ctr.snapshotter });
          const outcome = other.importImages(slow).then(
            () => "imported",
            () => "failed",
          );
          await until("the image to be unpacked", async () =>
            (await other.names()).some((name) => name.startsWith("extract-")) ? true : undefined,
          );
          await cleat?.end("SIGKILL");
          expect(await outcome).toBe("failed");
          await cleat?.start();
          await until("the image to be imported", () =>
            other.importImages(slow).then(
              () => true,
              () => undefined,
            ),
          );
          expect(await other.contentOfImage(slowImage)).toEqual(await control.contentOfImage(slowImage));
          await other.removeEverything();
        });

        test("and containerd with it, both find everything again", async () => {
          const pid = await ctr.pidOf("c1");
          await Promise.all([cleat?.end("SIGKILL"), containerd.end("SIGKILL")]);
          await containerd.start();
          await cleat?.start();
          await untilReached();
          await expectAlive(pid, "both");
          await expectWorking();
        });
      });

    test("nothing is left when everything is removed", async () => {
      await ctr.removeEverything();
      expect(await ctr.names()).toEqual([]);
      if (cleat !== undefined) expect(await snapshotterLeftovers(namespace, cleat)).toEqual(nothingLeft);
    });
  });
}
