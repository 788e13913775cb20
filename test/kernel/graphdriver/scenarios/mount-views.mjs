/**
 * Plugin and engine each in mounts of their own: an engine is refused exactly where it would not see what the driver makes.
 * What it would see is asked of the kernel, by a plugin that lets every engine in.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const here = (name) => join(import.meta.dirname, name);
const own = (propagation) => ["unshare", "--mount", "--propagation", propagation];

/** As systemd makes one for `PrivateTmp=` and its like: it follows the host's, and hands on to nobody but its own. */
const service = [
  "unshare",
  "--mount",
  "--propagation",
  "slave",
  "sh",
  "-c",
  'mount --make-rshared / && exec "$@"',
  "sh",
];
/** Something else in the place of the folder that the home is in. */
const covered = (folder) => [...own("slave"), "sh", "-c", `mount -t tmpfs none ${folder}/homes && exec "$@"`, "sh"];

const cases = (folder) => [
  { title: "both in one", plugin: [], engine: [], seen: "always" },
  { title: "an engine that follows (MountFlags=slave)", plugin: [], engine: own("slave"), seen: "always" },
  { title: "an engine with PrivateTmp=", plugin: [], engine: service, seen: "always" },
  { title: "an engine in private mounts", plugin: [], engine: own("private"), seen: "unmounted" },
  { title: "a plugin with PrivateTmp=", plugin: service, engine: [], seen: "unmounted" },
  { title: "a plugin with MountFlags=slave", plugin: own("slave"), engine: [], seen: "unmounted" },
  { title: "both with PrivateTmp=", plugin: service, engine: service, seen: "unmounted" },
  { title: "a plugin with another folder there", plugin: covered(folder), engine: [], seen: "never" },
  { title: "an engine with another folder there", plugin: [], engine: covered(folder), seen: "never" },
];

export async function mountViews(driver, folder) {
  mkdirSync(`${folder}/homes`);
  execFileSync("mount", ["--bind", folder, folder]);
  execFileSync("mount", ["--make-shared", folder]);
  const mounts = driver === "overlay2" || driver === "fuse-overlayfs";
  let number = 0;
  for (const { title, plugin, engine, seen } of cases(folder)) {
    const isSeen = seen === "always" || (seen === "unmounted" && !mounts);
    const ask = async (check) => {
      const place = { home: `${folder}/homes/${number}`, socket: `${folder}/s${number++}` };
      const served = await serve(plugin, [driver, place.home, place.socket, check]);
      try {
        return execFileSync(
          ...command([...engine, process.execPath, here("mount-views-engine.mjs"), ...Object.values(place)]),
          {
            encoding: "utf8",
          },
        ).trim();
      } finally {
        await end(served);
      }
    };
    assert.equal(await ask("unchecked"), isSeen ? "sees the layer" : "does not see the layer", `${title}, unchecked`);
    const answer = await ask("checked");
    if (isSeen) assert.equal(answer, "sees the layer", title);
    else
      assert.match(answer, /^FAILED_PRECONDITION home ".*engine.*process \d+ \(.+\).*PrivateTmp=.*MountFlags=/, title);
  }
}

/** A plugin that an engine did not see through is told of by each call after it was started again in mounts of its own. */
export async function mountViewsAfterRestart(driver, folder) {
  execFileSync("mount", ["--bind", folder, folder]);
  execFileSync("mount", ["--make-shared", folder]);
  const place = [`${folder}/home`, `${folder}/s`];
  const state = `${folder}/state.json`;
  const first = await serve([], [driver, ...place, "checked", state]);
  const engine = spawn(process.execPath, [here("mount-views-engine.mjs"), ...place, "again"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface(engine.stdout)[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;
  let last = first;
  try {
    assert.equal(await next(), "sees the layer");
    for (const [plugin, expected] of [
      [service, /^FAILED_PRECONDITION .*PrivateTmp=/],
      [[], /^sees the layer$/],
    ]) {
      await end(last);
      last = await serve(plugin, [driver, ...place, "checked", state]);
      engine.stdin.write("again\n");
      assert.match(await next(), expected);
    }
  } finally {
    engine.kill("SIGKILL");
    await end(last);
  }
}

const command = ([program, ...args]) => [program, args];

async function serve(enter, args) {
  const [program, rest] = command([...enter, process.execPath, here("mount-views-plugin.mjs"), ...args]);
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await Promise.race([once(createInterface(child.stdout), "line"), once(child, "exit")]);
  assert.equal(line, "serving");
  return child;
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill();
  await ended;
}
