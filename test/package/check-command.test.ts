/** `cleat check` as a program: with a plugin that it starts, kills, and ends with itself. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { afterAll, expect, test } from "vitest";

const main = join(import.meta.dirname, "../../dist/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "cleat-check-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a graph driver of Cleat's passes the generic checks, and the first of the kit for graph drivers", () => {
  const socket = join(folder, "layers.sock");
  const serve = [main, "serve", "graph", "--driver", "vfs", "--durability", "none", "--name", "layers"];
  const restart = [process.execPath, ...serve, "--root", join(folder, "root"), "--socket", socket].join(" ");
  const only = ["GraphDriver/", "life/", "id/"].flatMap((start) => ["--only", start]);
  const options = ["--subsystem", "GraphDriver", "--homes", folder, ...only, "--restart", restart];
  const { status, stdout } = spawnSync(process.execPath, [main, "check", socket, ...options], { encoding: "utf8" });
  expect({ status, failed: stdout.match(/^not ok.*/gm) }).toEqual({ status: 0, failed: null });
  expect(stdout).toMatch(/^ok \d+ - GraphDriver\/deep-body: /m);
  expect(stdout).toMatch(/^ok \d+ - life\//m);
});

test("a plugin that runs already is not taken for the one that --restart starts and kills", async () => {
  const socket = join(folder, "runs.sock");
  const serve = [main, "serve", "graph", "--driver", "vfs", "--durability", "none", "--name", "runs"];
  const argv = [...serve, "--root", join(folder, "runs"), "--socket", socket];
  const running = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(running.stdout, "data");
    const options = [socket, "--only", "plugin/", "--restart", [process.execPath, ...argv].join(" ")];
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, "check", ...options], { encoding: "utf8" });
    const why = "already, which --restart cannot kill: end it first";
    const told = `cleat: a plugin answers at ${JSON.stringify(socket)} ${why}\n`;
    expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: "", stderr: told });
  } finally {
    running.kill();
    await once(running, "exit");
  }
});

test("a signal ends it, and the plugin that it has started", async () => {
  const socket = join(folder, "waits.sock");
  const plugin = join(folder, "waits.mjs");
  writeFileSync(
    plugin,
    `import { createServer } from "node:http";
    createServer((_, response) => response.end('{"Implements":["VolumeDriver"]}')).listen(process.argv[2], () => {
      console.log("pid", process.pid);
    });`,
  );
  const restart = `${process.execPath} ${plugin} ${socket}`;
  const check = spawn(process.execPath, [main, "check", socket, "--only", "plugin/idle", "--restart", restart]);
  const printed = text(check.stderr);
  const lines = createInterface(check.stdout);
  await once(lines, "line"); // the plugin is started, and the check waits until its connection was idle long enough
  check.kill("SIGTERM");
  const [code] = await once(check, "exit");
  const told = await printed;
  const pid = Number(/^pid (\d+)$/m.exec(told)?.[1]);
  expect(pid).toBeGreaterThan(0);
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  expect({ code, told }).toEqual({ code: 1, told: expect.stringContaining("cleat: interrupted") });
});
