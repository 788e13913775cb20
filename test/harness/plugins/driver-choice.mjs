/**
 * Which driver dockerd and Cleat choose under one data root: `driver-choice.mjs FOLDER PATH…`, of files and folders/ to
 * make there.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";

const [folder, ...paths] = process.argv.slice(2);
const root = `${folder}/data`;
for (const path of paths) {
  const full = `${root}/${path}`;
  mkdirSync(path.endsWith("/") ? full : dirname(full), { recursive: true });
  if (!path.endsWith("/")) writeFileSync(full, "");
}

const command = new URL("../../../dist/cli/main.js", import.meta.url).pathname;
const { stdout } = spawnSync(process.execPath, [command, "doctor", "--root", root, "--json", "--timeout=60"], {
  encoding: "utf8",
});
const ours = JSON.parse(stdout).chosen ?? "refused";

const places = ["--data-root", root, "--exec-root", `${folder}/run`, "--pidfile", `${folder}/pid`];
const network = ["--host", `unix://${folder}/docker.sock`, "--iptables=false", "--bridge=none"];
const daemon = spawn("dockerd", [...places, ...network]);
daemon.stdout.resume();
assert.equal(ours, await choiceOf(daemon));
process.exit(); // the daemon and its containerd go with the process namespace

/** What it says before it serves, or that it ends without. */
async function choiceOf({ stderr }) {
  for await (const line of createInterface(stderr)) {
    const [, driver] = /graphdriver\(s\)=([\w-]+)/.exec(line) ?? [];
    if (driver !== undefined) return driver;
    if (/several valid graphdrivers|prior storage driver \S+ failed/.test(line)) return "refused";
  }
  return "ended";
}
