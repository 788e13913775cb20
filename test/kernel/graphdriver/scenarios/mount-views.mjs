/**
 * Plugin and engine each in mounts of their own: an engine is refused exactly where it would not see what the driver
 * makes. What it would see is asked of the kernel, by a plugin that lets every engine in.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const here = (name) => join(import.meta.dirname, name);
const own = (propagation) => ["unshare", "--mount", "--propagation", propagation];

/** How a process is started, by what it has for mounts. */
const ways = (folder) => ({
  "the machine's": [],
  "slave ones": own("slave"),
  "private ones": own("private"),
  /**
   * As systemd makes them for `PrivateTmp=` and its like: they follow the machine's, and hand on to nobody but their
   * own.
   */
  "a service's": [...own("slave"), "sh", "-c", 'mount --make-rshared / && exec "$@"', "sh"],
  "another folder there": [...own("slave"), "sh", "-c", `mount -t tmpfs none ${folder}/homes && exec "$@"`, "sh"],
});

/** Plugin, engine, and whether the engine sees layers: only those that need no mount in the third case. */
const cases = [
  ["the machine's", "the machine's", "always"],
  ["the machine's", "slave ones", "always"],
  ["the machine's", "a service's", "always"],
  ["the machine's", "private ones", "unmounted"],
  ["slave ones", "the machine's", "unmounted"],
  ["a service's", "the machine's", "unmounted"],
  ["a service's", "a service's", "unmounted"],
  ["another folder there", "the machine's", "never"],
  ["the machine's", "another folder there", "never"],
].map(([plugin, engine, seen], number) => ({ plugin, engine, seen, number }));

export async function mountViews(driver, folder) {
  mkdirSync(`${folder}/homes`);
  shareMounts(folder);
  const mounts = driver === "overlay2" || driver === "fuse-overlayfs";
  const placesOf = ({ number }) =>
    [false, true].map((checked) => {
      const name = `${number}${checked ? "-checked" : ""}`;
      return { home: `${folder}/homes/${name}`, unix: `${folder}/${name}.sock`, checked };
    });
  const by = (side) =>
    Object.entries(ways(folder)).map(([way, enter]) => [enter, cases.filter((row) => row[side] === way)]);
  const plugins = [];
  try {
    await Promise.all(
      by("plugin").map(async ([enter, rows]) => {
        plugins.push(await serve(enter, driver, rows.flatMap(placesOf)));
      }),
    );
    await Promise.all(
      by("engine").map(async ([enter, rows]) => {
        const engine = startEngine(enter, rows.flatMap(placesOf));
        for (const row of rows) {
          const isSeen = row.seen === "always" || (row.seen === "unmounted" && !mounts);
          const title = `plugin: ${row.plugin}; engine: ${row.engine}`;
          assert.equal(
            await engine.next(),
            isSeen ? "sees the layer" : "does not see the layer",
            `${title}, unchecked`,
          );
          const answer = await engine.next();
          if (isSeen) assert.equal(answer, "sees the layer", title);
          else assert.match(answer, refusal, title);
        }
      }),
    );
  } finally {
    await Promise.all(plugins.map(end));
  }
}

const refusal = /^FAILED_PRECONDITION home ".*engine.*process \d+ \(.+\).*PrivateTmp=.*MountFlags=/;

/** A plugin that is started again in mounts of its own says so to each call of the engine that runs on. */
export async function mountViewsAfterRestart(driver, folder) {
  shareMounts(folder);
  const place = { home: `${folder}/home`, unix: `${folder}/s`, checked: true, state: `${folder}/state.json` };
  let plugin = await serve([], driver, [place]);
  const engine = startEngine([], [place], "again");
  try {
    assert.equal(await engine.next(), "sees the layer");
    for (const [way, expected] of [
      ["a service's", refusal],
      ["the machine's", /^sees the layer$/],
    ]) {
      await end(plugin);
      plugin = await serve(ways(folder)[way], driver, [place]);
      engine.child.stdin.write("again\n");
      assert.match(await engine.next(), expected);
    }
  } finally {
    engine.child.kill("SIGKILL");
    await end(plugin);
  }
}

function shareMounts(folder) {
  execFileSync("mount", ["--bind", folder, folder]);
  execFileSync("mount", ["--make-shared", folder]);
}

function startEngine(enter, places, again = "") {
  const [program, ...args] = [
    ...enter,
    process.execPath,
    here("mount-views-engine.mjs"),
    JSON.stringify(places),
    again,
  ];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return { child, next: async () => (await lines.next()).value };
}

async function serve(enter, driver, places) {
  const [program, ...args] = [
    ...enter,
    process.execPath,
    here("mount-views-plugin.mjs"),
    driver,
    JSON.stringify(places),
  ];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
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
