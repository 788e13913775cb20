/**
 * containerd's own tests of snapshotters, on every driver of Cleat behind its socket, and on containerd's own as the
 * proof of the tests.
 */
import { mkdir } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cleatCommand } from "../../harness/plugins/cleat.ts";
import { type DataFileSystem, mountDataRoot } from "../../harness/namespaces/data-root.ts";
import { openNamespace, type Namespace } from "../../harness/namespaces/namespace.ts";
import { describeWith, needs, type Need } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import {
  buildSuite,
  containerd1,
  containerd17,
  containerd2,
  runSuite,
  type SuiteOutcomes,
  type SuiteSource,
} from "./suite-run.ts";

/** The spelling is the suite's. */
const tests = [
  "Basic",
  "StatActive",
  "StatComitted",
  "TransitivityTest",
  "PreareViewFailingtest",
  "Update",
  "Remove",
  "Walk",
  "LayerFileupdate",
  "RemoveDirectoryInLowerLayer",
  "Chown",
  "DirectoryPermissionOnCommit",
  "RemoveIntermediateSnapshot",
  "DeletedFilesInChildSnapshot",
  "MoveFileFromLowerLayer",
  "Rename",
  "ViewReadonly",
  "StatInWalk",
  "CloseTwice",
  "RootPermission",
  "128LayersMount",
];

interface Subject {
  readonly title: string;
  readonly needs: readonly Need[];
  /** Undefined for containerd's own overlay. */
  readonly driver?: string;
  readonly name: string;
  readonly fileSystem?: DataFileSystem;
}

const original: Subject = { title: "its own overlay", needs: [needs.overlay], name: "overlayfs" };
const overlay2: Subject = { title: "Cleat's overlay2", needs: [needs.overlay], driver: "overlay2", name: "overlayfs" };
const overlay2OnXfs: Subject = {
  ...overlay2,
  title: "Cleat's overlay2 on xfs",
  needs: [...overlay2.needs, needs.loopDevices, needs.xfs],
  fileSystem: "xfs",
};
const vfs: Subject = { title: "Cleat's vfs", needs: [], driver: "vfs", name: "vfs" };
const btrfs: Subject = {
  title: "Cleat's btrfs",
  needs: [needs.loopDevices, needs.btrfs],
  driver: "btrfs",
  name: "btrfs",
  fileSystem: "btrfs",
};
const fuseOverlayfs: Subject = {
  title: "Cleat's fuse-overlayfs",
  needs: [needs.fuseOverlayfs, needs.fuseMount],
  driver: "fuse-overlayfs",
  name: "fuse-overlayfs",
};

const all = [original, overlay2, btrfs, vfs, fuseOverlayfs];
const runs: readonly (readonly [SuiteSource, readonly Subject[]])[] = byDayOrNight(
  [[containerd1, [overlay2]]],
  [
    [containerd1, all.filter((subject) => subject !== overlay2)],
    [containerd17, all],
    [containerd2, [...all, overlay2OnXfs]],
  ],
);

for (const [source, subjects] of runs) {
  describeWith([needs.root, ...source.needs], `snapshotter suite of ${source.title}`, () => {
    let namespace: Namespace;
    let program: string;
    beforeAll(async () => {
      namespace = await openNamespace();
      program = `${namespace.folder}/suite.test`;
      await buildSuite(source, program);
    });
    afterAll(() => namespace?.[Symbol.asyncDispose]());

    for (const subject of subjects)
      describeWith(subject.needs, `on ${subject.title}`, () => {
        let outcomes: SuiteOutcomes;
        beforeAll(async () => {
          const { driver, name, fileSystem } = subject;
          const folder = `${namespace.folder}/${driver ?? "original"}-${fileSystem ?? "here"}`;
          if (fileSystem === undefined) await mkdir(folder);
          else await mountDataRoot(namespace, folder, fileSystem);
          const server = driver === undefined ? undefined : serverOf(driver);
          outcomes = await runSuite(namespace, { program, name, folder, server });
        });

        test.each(tests)("%s", (name) => {
          const outcome = outcomes.get(name);
          // 1.6 leaves a test out where its name says that a file system cannot pass it.
          if (name !== "Rename" || outcome?.state !== "SKIP") expect(outcome?.state, outcome?.said).toBe("PASS");
        });

        test("there are no other tests", () => {
          expect([...outcomes.keys()].filter(Boolean).toSorted()).toEqual(tests.toSorted());
        });
      });
  });
}

function serverOf(driver: string): readonly string[] {
  return [...cleatCommand, "serve", "snapshotter", `--driver=${driver}`, "--root={root}", "--socket={socket}"];
}
