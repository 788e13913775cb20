/** Hosts that share volumes by etcd, as processes of one machine: `cleat serve volume --scope global`. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createHttpTransport } from "cleat/transport";
import { createVolumeDriverFromPlugin } from "cleat/volume";

const main = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));
const children = new Set();

/** Ends what is left of hosts in `scratch`, and of all that `startChild` started, with this process. */
export function endAllAtExit(scratch) {
  process.on("exit", () => {
    for (const child of children) child.kill("SIGKILL");
    for (const host of readdirSync(scratch)) {
      const volumes = `${scratch}/${host}/local/volumes`;
      for (const volume of existsSync(volumes) ? readdirSync(volumes) : []) {
        const note = `${volumes}/${volume}/fuse.json`;
        if (existsSync(note)) kill(JSON.parse(readFileSync(note, "utf8")).process?.pid);
      }
    }
  });
}

export function startChild(program, args, options) {
  const child = spawn(program, args, options);
  children.add(child);
  return child;
}

export async function endChild(child, signal) {
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
  children.delete(child);
}

function kill(pid) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // gone
  }
}

/** `told` is what to say when it does not come to be. */
export async function until(what, test, told = () => "") {
  for (let tries = 0; ; tries++) {
    const result = await Promise.resolve()
      .then(test)
      .catch(() => false);
    if (result) return result;
    assert.ok(tries < 2400, `${what}: ${told()}`);
    await delay(50);
  }
}

function killer(step) {
  return encodeURIComponent(`
    import { channel } from "node:diagnostics_channel";
    const tell = (said) => said.step === "${step}" && process.kill(process.pid, "SIGKILL");
    channel("cleat:volumes").subscribe(tell);
  `);
}

/** `etcd`: what the command line says of it. One that is killed when it comes to `step`, if one is given. */
export async function startHost(scratch, name, etcd, step) {
  const root = `${scratch}/${name}`;
  const socket = `${scratch}/${name}.sock`;
  const serve = ["serve", "volume", "--scope", "global", "--root", root, "--socket", socket, "--log-level", "warn"];
  const argv = ["--uts", "sh", "-c", `hostname ${name} && exec "$@"`, "host", process.execPath, main, ...serve];
  const env = { ...process.env, ...(step && { NODE_OPTIONS: `--import=data:text/javascript,${killer(step)}` }) };
  const child = startChild("unshare", [...argv, ...etcd], { stdio: ["ignore", "pipe", "pipe"], env });
  const ended = once(child, "exit");
  let log = "";
  child.stderr.on("data", (text) => (log += text));
  await Promise.race([once(child.stdout, "data"), ended.then(() => assert.fail(log))]);
  child.stdout.resume();
  const driver = await createVolumeDriverFromPlugin(createHttpTransport({ unix: socket }), { name });
  return {
    driver,
    ended,
    log: () => log,
    target: (volume) => `${root}/local/mounts/${volume}`,
    kill: () => endChild(child, "SIGKILL"),
    stop: () => endChild(child, "SIGTERM"),
    freeze: () => child.kill("SIGSTOP"),
    thaw: () => child.kill("SIGCONT"),
    cleat: (...args) =>
      spawnSync(process.execPath, [main, "volumes", ...args, "--plugin", socket], { encoding: "utf8" }),
  };
}
