/**
 * What an engine's containers and images are after Cleat was killed in the middle of one of its calls. Docker's client
 * sends such a call again when Cleat is back, with what its reader still has: nothing of a call in JSON, the rest of an
 * archive. Source: moby v26.1.5 `pkg/plugins/client.go`, `callWithRetry`.
 */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { runCommand } from "../../harness/processes/command.ts";
import { cleatCommand } from "../../harness/plugins/cleat.ts";
import { idling } from "../../harness/engines/containers.ts";
import { type Dockerd, startDockerd } from "../../harness/engines/dockerd.ts";
import { type Namespace, openNamespace } from "../../harness/namespaces/namespace.ts";
import { importWithPause } from "../../harness/engines/paused-import.ts";
import { type PluginProcess, pluginSocket, startPlugin } from "../../harness/plugins/plugin-process.ts";
import { machine, titleOf, trixie } from "../../harness/namespaces/release.ts";
import { until } from "../../harness/processes/until.ts";
import { writeBaseArchive } from "../../harness/images/base-image.ts";

const name = "cleat-overlay2";
const bytesToExport = 64 * 2 ** 20;

for (const release of byDayOrNight([trixie], [machine])) {
  const needed = [needs.root, needs.dockerd, needs.overlay, needs.busybox, needs.attr, ...needsOf(release, "docker")];
  describeWith(needed, `calls in which Cleat is killed, of ${titleOf(release, "docker")}`, () => {
    let namespace: Namespace;
    let cleat: PluginProcess;
    let dockerd: Dockerd;
    let order: string;
    const docker = (...args: string[]) => dockerd.docker(...args);

    beforeAll(async () => {
      namespace = await openNamespace(release);
      order = `${namespace.folder}/kill-at`;
      const [node = "", main = ""] = cleatCommand;
      const preload = resolve("test/harness/processes/kill-at-method.mjs");
      const options = ["--driver=overlay2", `--root=${namespace.folder}/cleat`, `--socket=${pluginSocket(name)}`];
      const serve = ["serve", "graph", `--name=${name}`, ...options];
      const argv = ["env", `KILL_AT=${order}`, node, "--import", preload, main, ...serve];
      cleat = await startPlugin(namespace, { name, argv });
      const dataRoot = `${namespace.folder}/docker`;
      dockerd = await startDockerd(namespace, { name: "dockerd", storageDriver: name, dataRoot });
      await writeBaseArchive(`${namespace.folder}/base.tar`);
      await docker("import", `${namespace.folder}/base.tar`, "base");
    });
    afterAll(() => namespace?.[Symbol.asyncDispose]());

    /** Runs `work`, during which Cleat is killed at that point of the next call of the method, and started again. */
    async function killedAt<T>(method: string, when: "before" | "after", work: () => Promise<T>): Promise<T> {
      await writeFile(`${order}.new`, JSON.stringify({ path: `/GraphDriver.${method}`, when }));
      await runCommand(["mv", `${order}.new`, order]);
      const working = work();
      working.catch(() => {}); // told below
      await until(`Cleat to be killed in ${method}`, async () => !existsSync(order) || undefined);
      await cleat.end("SIGKILL").catch(() => {}); // it is gone, or about to be
      await cleat.start();
      return working;
    }

    const mountIdOf = async (container: string) =>
      (await docker("inspect", "--format", "{{.GraphDriver.Data.MergedDir}}", container)).split("/").at(-2) ?? "";
    const home = () => `${namespace.folder}/docker/${name}`;
    const isMounted = async (container: string) =>
      (await namespace.mountsUnder(home())).includes(`${home()}/${await mountIdOf(container)}/merged`);

    describe.each(["before", "after"] as const)("%s its effect", (when) => {
      test("Put of a container that stops: the container starts again, and what is copied into it stays", async () => {
        const container = `put-${when}`;
        await docker("run", ...idling, "--name", container, "base", "sleep", "3600");
        await docker("exec", container, "sh", "-c", "echo kept > /kept");
        await killedAt("Put", when, () => docker("kill", container));
        await until("the container to stop", async () => {
          return (await docker("inspect", "--format", "{{.State.Running}}", container)) === "false" || undefined;
        });
        await docker("cp", "/etc/hostname", `${container}:/copied`);
        await docker("start", container);
        expect(await docker("exec", container, "cat", "/kept")).toBe("kept");
        expect(await docker("exec", container, "ls", "/copied")).toBe("/copied");
        await docker("rm", "--force", container);
      });

      test("Get of a container that starts, while its files are being exported: all of them come", async () => {
        const container = `get-${when}`;
        await docker(
          "run",
          "--network=none",
          "--name",
          container,
          "base",
          "sh",
          "-c",
          `head -c ${bytesToExport} /dev/zero > /big`,
        );
        const call = request({ socketPath: dockerd.socketPath, path: `/containers/${container}/export`, agent: false });
        call.end();
        const [response] = (await once(call, "response")) as [IncomingMessage];
        await once(response, "readable");
        expect(await isMounted(container)).toBe(true);
        const outcome = await killedAt("Get", when, () => docker("start", container)).then(
          () => "started",
          (error: Error) => error.message,
        );
        expect(outcome).toMatch(/GraphDriver.Get/);
        expect(await isMounted(container)).toBe(true);
        let sizeBytes = 0;
        for await (const bytes of response) sizeBytes += (bytes as Buffer).length;
        expect(sizeBytes).toBeGreaterThan(bytesToExport);
        await docker("rm", "--force", container);
      });
    });

    test("ApplyDiff, whose rest is an archive of its own: no image comes of the rest", async () => {
      const archive = `${namespace.folder}/halves.tar`;
      await runCommand(["bash", "-c", halves, "halves", archive]);
      const outcome = await importWithPause(dockerd.socketPath, archive, "halved", async () => {
        await until("the first file of the layer", async () => {
          return (await namespace.run(["sh", "-c", `find ${home()} -name first-1 || true`])) !== "" || undefined;
        });
        await cleat.end("SIGKILL");
        await cleat.start();
      });
      expect(outcome).toMatch(/"error"|"message"/);
      expect(await docker("images", "--quiet", "halved")).toBe("");
    });

    test("Init: the engine's layers are not looked for elsewhere", async () => {
      await dockerd.end("SIGTERM");
      await expect(killedAt("Init", "before", () => dockerd.start())).rejects.toThrow("GraphDriver.Init");
      expect(existsSync(namespace.reach(`${namespace.folder}/cleat/layers`))).toBe(false);
    });
  });
}

/** An archive in the middle of which an entry begins: a quarter of the files of each half. */
const halves = String.raw`
  set -euo pipefail
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  cd "$folder"
  for half in first second; do for n in $(seq 100); do head -c 20000 /dev/urandom > $half-$n; done; done
  touch first-empty first-void # as much as the end of an archive
  for half in first second; do
    ls | grep "^$half-" | tar --create --blocking-factor=1 --file=$half.tar --files-from=-
  done
  head -c -1024 first.tar | cat - second.tar > "$1"
`;
