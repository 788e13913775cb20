/** Docker with the example of a log plugin: `docker logs` reads back what containers print, and no container waits. */
import { readdir, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { atNight, byDayOrNight } from "../../night.ts";
import { idling } from "../../harness/engines/containers.ts";
import { startDockerd, type Dockerd } from "../../harness/engines/dockerd.ts";
import { buildExample } from "../../harness/plugins/example.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { openNamespace, type Namespace } from "../../harness/namespaces/namespace.ts";
import { startPlugin, type PluginProcess } from "../../harness/plugins/plugin-process.ts";
import { type EngineRelease, forky, machine, titleOf, trixie } from "../../harness/namespaces/release.ts";
import { until } from "../../harness/processes/until.ts";

for (const release of byDayOrNight([forky], [machine, trixie])) {
  const required = [...needsOf(release, "docker"), needs.overlay, needs.busybox];
  describeWith(required, `${titleOf(release, "docker")} with a log plugin`, () => withLogsOn(release));
}

function withLogsOn(release: EngineRelease): void {
  let namespace: Namespace;
  let plugin: PluginProcess;
  let dockerd: Dockerd;
  let root: string;

  beforeAll(async () => {
    namespace = await openNamespace(release);
    root = `${namespace.folder}/logs`;
    const program = `${await buildExample("file-logs", `${namespace.folder}/example-file-logs`)}/serve.js`;
    plugin = await startPlugin(namespace, { name: "files", argv: [process.execPath, program, "files", root] });
    dockerd = await startDockerd(namespace, {
      name: "dockerd",
      storageDriver: "overlay2",
      dataRoot: `${namespace.folder}/docker`,
    });
    const archive = `${namespace.folder}/small.tar`;
    await writeImageArchive(archive, "small", [shellLayer]);
    await docker("load", "--input", archive);
  });
  afterAll(() => namespace?.[Symbol.asyncDispose]());

  const docker = (...args: string[]) => dockerd.docker(...args);
  const logged = (name: string, driver = "files") => [`--log-driver=${driver}`, `--name=${name}`];
  const linesOf = async (...args: string[]) => (await docker("logs", ...args)).split("\n");
  const pipes = () => readdir(namespace.reach("/run/docker/logging")).catch(() => []);
  /** Docker ends a log after it has answered. */
  const untilPipesAre = (those: readonly string[]) =>
    until("pipes to be gone", async () => (await pipes()).length <= those.length || undefined);
  /** A container that prints a line for each file that is put into its /in, until one is called `end`. */
  const startEcho = (name: string, driver = "files") => {
    const script =
      "n=1; while :; do [ -e /tmp/$n ] && { cat /tmp/$n; echo > /tmp/done$n; [ -e /tmp/end ] && exit; n=$((n+1)); }; " +
      "sleep 0.02; done";
    return docker("run", ...idling, ...logged(name, driver), "--tmpfs=/tmp", "small", "sh", "-c", script);
  };
  const say = (name: string, at: number, text: string) =>
    docker("exec", name, "sh", "-c", `echo '${text}' > /tmp/.new; busybox mv /tmp/.new /tmp/${at}`);

  test("what a container printed is read back, and its last lines, and those since", async () => {
    await docker("run", "--network=none", ...logged("printer"), "small", "sh", "-c", "echo one; seq 2 9");
    expect(await linesOf("printer")).toEqual(["one", ..."23456789"]);
    expect(await linesOf("--tail=2", "printer")).toEqual(["8", "9"]);
    const stamped = await linesOf("--timestamps", "printer");
    const [time = ""] = stamped.at(-1)?.split(" ") ?? [];
    expect(time).toMatch(/^20\d\d-.*\d{9}Z$/);
    expect((await linesOf("--since", time, "printer")).at(-1)).toBe("9");
    expect(await linesOf("--since=2100-01-01", "printer")).toEqual([""]);
    expect(await linesOf("--until=2020-01-01", "printer")).toEqual([""]);
    await untilPipesAre([]);
    await docker("run", "--network=none", ...logged("erring"), "small", "sh", "-c", "echo kept >&2");
    const id = await docker("inspect", "--format={{.Id}}", "erring");
    expect(JSON.parse(await readFile(`${root}/${id}/log.jsonl`, "utf8"))).toMatchObject({
      source: "stderr",
      text: "kept",
    });
  });

  test.runIf(atNight)("a line of a mebibyte comes back whole, and bytes as they were", async () => {
    const script = "busybox head -c 1000000 /dev/zero | busybox tr '\\0' x; echo; printf '\\377\\001\\n'";
    await docker(
      "run",
      "--network=none",
      ...logged("long"),
      "small",
      "sh",
      "-c",
      script.replace("printf", "busybox printf"),
    );
    const [first = "", second] = await linesOf("long");
    expect([first.length, second]).toEqual([1_000_000, "\u00ff\u0001"]);
  });

  test.runIf(atNight)("an option that the driver does not know keeps the container from starting", async () => {
    await expect(
      docker("run", "--network=none", ...logged("odd"), "--log-opt=color=red", "small", "true"),
    ).rejects.toThrow('unknown log option "color"');
  });

  test("who follows reads what comes, until the container ends", async () => {
    await startEcho("followed");
    await say("followed", 1, "first");
    const following = linesOf("--follow", "followed");
    await say("followed", 2, "second");
    await docker("exec", "followed", "sh", "-c", "echo > /tmp/end");
    await say("followed", 3, "last");
    expect(await following).toEqual(["first", "second", "last"]);
  });

  test("a plugin that is killed while a container prints takes no later line with it", async () => {
    const others = await pipes();
    await startEcho("surviving");
    await say("surviving", 1, "before");
    await until("the line is kept", async () => (await linesOf("surviving")).includes("before") || undefined);
    await plugin.end("SIGKILL");
    // In frames 350 KB, of which the kernel's 64 KiB would keep a fifth, and the container would wait with the rest.
    await docker("exec", "surviving", "sh", "-c", "seq 1 10000 > /tmp/.new; busybox mv /tmp/.new /tmp/2");
    await until("the container to have printed all", async () => {
      return (await docker("exec", "surviving", "ls", "/tmp")).includes("done2") || undefined;
    });
    await plugin.start();
    await docker("exec", "surviving", "sh", "-c", "echo > /tmp/end");
    await say("surviving", 3, "after");
    await docker("wait", "surviving");
    expect(await linesOf("surviving")).toEqual([
      "before",
      ...Array.from({ length: 10_000 }, (_, at) => `${at + 1}`),
      "after",
    ]);
    await untilPipesAre(others);
  });

  test.runIf(atNight)("a plugin that hangs in its writes keeps no container waiting", async () => {
    const program = resolve("test/harness/plugins/hung-logs.mjs");
    await startPlugin(namespace, { name: "hung", argv: [process.execPath, program, "hung"] });
    await docker("run", "--network=none", ...logged("busy", "hung"), "small", "seq", "1", "300000");
    expect(await docker("inspect", "--format={{.State.ExitCode}}", "busy")).toBe("0");
  });
}
