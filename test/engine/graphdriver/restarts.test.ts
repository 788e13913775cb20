/** What containers find again when the daemon or Cleat was ended, gently or with kill -9. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { writeBaseArchive } from "../../harness/images/base-image.ts";
import { contentOfRunning, diffOf, identityOf, keepRunning, runScript } from "../../harness/engines/containers.ts";
import { openEngine, type Engine } from "../../harness/engines/engine.ts";
import { leftovers, leftoversAtLast, removeEverything } from "../../harness/engines/leftovers.ts";
import { importWithPause } from "../../harness/engines/paused-import.ts";
import { sampleChanges } from "../../harness/images/sample-changes.ts";
import {
  cleatOverlay2,
  describeOn,
  laterStorages,
  ofRelease,
  restartedStorages,
} from "../../harness/engines/storage.ts";
import { trixie } from "../../harness/namespaces/release.ts";
import { until } from "../../harness/processes/until.ts";

const later = byDayOrNight([], [ofRelease(trixie, cleatOverlay2), ...laterStorages]);

describeWith([needs.root, needs.dockerd, needs.overlay, needs.busybox, needs.attr], "restarts", () => {
  describeOn([...restartedStorages, ...later], (storage) => {
    let engine: Engine & AsyncDisposable;
    let archive: string;
    let content: readonly string[];

    beforeAll(async () => {
      engine = await openEngine(storage);
      archive = `${engine.namespace.folder}/base.tar`;
      await writeBaseArchive(archive);
      await engine.docker("import", archive, "base");
      await runScript(engine, "stopped", "base", sampleChanges.script);
      await keepRunning(engine, "running", "base", sampleChanges.script);
      content = await contentOfRunning(engine, "running", storage.inherits);
    });
    afterAll(() => engine?.[Symbol.asyncDispose]());

    const pidOfRunning = () => engine.docker("inspect", "--format", "{{.State.Pid}}", "running");

    /** Both containers have what they had, work, and one more can be made; then one is stopped again. */
    async function expectEverythingKept(): Promise<void> {
      expect(await diffOf(engine, "stopped")).toEqual(sampleChanges.diff);
      expect(await engine.docker("cp", "stopped:/data/modified", "-")).toContain("this is modified\nmore\n");
      expect(await diffOf(engine, "running")).toEqual(sampleChanges.diff);
      expect(await contentOfRunning(engine, "running", storage.inherits)).toEqual(content);
      expect(await engine.docker("run", "--rm", "--network", "none", "base", "cat", "/data/modified")).toBe(
        "this is modified",
      );
    }

    test("a daemon that is stopped unmounts everything and finds its containers again", async () => {
      await engine.dockerd.end("SIGTERM");
      expect((await leftovers(engine)).mounts).toEqual([]);
      await engine.dockerd.start();
      expect(await pidOfRunning()).toBe("0");
      await engine.docker("start", "running");
      await expectEverythingKept();
    });

    test("a daemon that is killed stops what still runs and finds its containers again", async () => {
      await engine.dockerd.end("SIGKILL");
      await engine.dockerd.start();
      expect(await pidOfRunning()).toBe("0");
      await engine.docker("start", "running");
      await expectEverythingKept();
    });

    describe("where containers outlive the daemon", () => {
      beforeAll(async () => {
        await engine.dockerd.end("SIGTERM");
        await engine.dockerd.start({ liveRestore: true });
        await engine.docker("start", "running");
      });

      test.each(["SIGTERM", "SIGKILL"] as const)("they run on, unharmed, when it gets %s", async (signal) => {
        const pid = await pidOfRunning();
        await engine.dockerd.end(signal);
        await engine.dockerd.start({ liveRestore: true });
        expect(await pidOfRunning()).toBe(pid);
        await expectEverythingKept();
      });
    });

    if (storage.cleatDriver !== undefined) {
      test.each(["SIGTERM", "SIGKILL"] as const)(
        "the running daemon goes on with a Cleat that got %s and was started again",
        async (signal) => {
          await engine.cleat?.end(signal);
          await engine.cleat?.start();
          await expectEverythingKept();
          await engine.docker("restart", "--time", "0", "running");
          await expectEverythingKept();
          await engine.docker("start", "stopped");
        },
      );

      test("an import during which Cleat is killed fails, and works when repeated", async () => {
        const { dockerd, home, cleat, docker, namespace } = engine;
        const shells = async () => (await namespace.run(["sh", "-c", findShells, "sh", home])).match(/.+/g) ?? [];
        const shellsBefore = new Set(await shells()); // some of which may go, with a container that is being removed
        const isNew = (name: string) => !shellsBefore.has(name);
        const outcome = await importWithPause(dockerd.socketPath, archive, "interrupted", async () => {
          await until("the first files of the layer", async () => (await shells()).some(isNew) || undefined);
          await cleat?.end("SIGKILL");
          await cleat?.start();
        });
        expect(outcome).toMatch(/"error"|"message"/);
        expect(await docker("images", "--quiet", "interrupted")).toBe("");
        await docker("import", archive, "repeated");
        expect((await identityOf(engine, "repeated")).layers).toEqual((await identityOf(engine, "base")).layers);
      });
    }

    test("nothing is left when everything is removed", async () => {
      await removeEverything(engine);
      expect(await leftoversAtLast(engine)).toEqual({ mounts: [], layers: [] });
    });
  });
});

/** What is mounted is not looked into; layers may go meanwhile. */
const findShells = `find "$1" -name merged -prune -o -path "*/bin/busybox" -print 2>/dev/null || true`;
