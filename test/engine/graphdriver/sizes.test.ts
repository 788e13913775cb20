/** `docker run --storage-opt size=`: what the container meets that writes more. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs } from "../../needs.ts";
import { writeBaseArchive } from "../../harness/images/base-image.ts";
import { runScript } from "../../harness/engines/containers.ts";
import { openEngine, type Engine } from "../../harness/engines/engine.ts";
import { removeEverything } from "../../harness/engines/leftovers.ts";
import { builtinBtrfs, cleatBtrfs, describeOn } from "../../harness/engines/storage.ts";

const write = (megabytes: number) =>
  `dd if=/dev/zero of=/data/written-${megabytes} bs=1M count=${megabytes} conv=fsync`;

describeWith([needs.root, needs.dockerd, needs.busybox, needs.attr], "a container's size", () => {
  describeOn([cleatBtrfs, builtinBtrfs], (storage) => {
    let engine: Engine & AsyncDisposable;
    const run = (size: string, ...script: string[]) =>
      engine.docker("run", "--rm", "--network", "none", "--storage-opt", `size=${size}`, "base", "sh", "-c", ...script);

    beforeAll(async () => {
      engine = await openEngine(storage);
      const archive = `${engine.namespace.folder}/base.tar`;
      await writeBaseArchive(archive);
      await engine.docker("import", archive, "base");
    });
    afterAll(() => engine?.[Symbol.asyncDispose]());

    test("is what it can write, and no more", async () => {
      await run("64m", write(16));
      await expect(run("64m", write(80))).rejects.toThrow("Disk quota exceeded");
    });

    test("is that of one container, not of its neighbours", async () => {
      await runScript(engine, "free", "base", write(80));
    });

    test("is enforced after the daemon and the driver were started again", async () => {
      const limited = ["--storage-opt", "size=64m", "--name", "limited", "--stop-signal", "SIGKILL"];
      await engine.docker("run", "--detach", "--network", "none", ...limited, "base", "sleep", "3600");
      await engine.dockerd.end("SIGTERM");
      await engine.cleat?.end("SIGTERM");
      await engine.cleat?.start();
      await engine.dockerd.start();
      await engine.docker("start", "limited");
      await engine.docker("exec", "limited", "sh", "-c", write(16));
      await expect(engine.docker("exec", "limited", "sh", "-c", write(80))).rejects.toThrow("Disk quota exceeded");
    });

    test("must be one", async () => {
      await expect(run("much", "true")).rejects.toThrow(/size/);
      await removeEverything(engine);
    });
  });
});
