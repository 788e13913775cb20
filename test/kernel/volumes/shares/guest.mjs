/**
 * Volumes that are shares of real servers, which run in the same virtual machine and are killed there. Prints what was
 * seen of each type as a line of JSON.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { inspect } from "node:util";
import { runVolumeDriverKit } from "cleat/testing";
import { openManagedVolumes, volumeTypes } from "cleat/volumedrivers";
import { password, prepareServers, servers, startServer } from "./share-servers.mjs";

const given = {
  nfs: {
    share: { type: "nfs", device: ":/data", o: "addr=127.0.0.1,nfsvers=4,noatime" },
    missing: { type: "nfs4", device: "127.0.0.1:/none", o: "vers=4.2" },
  },
  cifs: {
    share: { type: "cifs", device: "//127.0.0.1/data", o: "username=root,uid=7,noatime", password },
    missing: { type: "cifs", device: "//127.0.0.1/none", o: "username=root", password },
    refused: { type: "cifs", device: "//127.0.0.1/data", o: "username=root,password=wr0ng" },
    nobody: { type: "cifs", device: "//127.0.0.1/data", o: "username=somebody,password=wr0ng" },
  },
};

/** All volumes of a share are one folder, with all that is in it. */
const expectedFailures = {
  "files/apart": "volumes of one share are one folder",
  "files/empty-again": "the folder is the server's, with all that is in it",
};

const timeoutMs = 30_000;
const volumes = await openManagedVolumes({ name: "cleat", folder: "/tmp/volumes", types: volumeTypes, timeoutMs });
prepareServers();
for (const type of ["nfs", "cifs"]) {
  const seen = { type };
  const error = await look(type, servers[type], given[type], seen).catch((reason) => reason);
  console.log(JSON.stringify({ ...seen, error: error && inspect(error) }));
}
await volumes.close();
process.exit(); // a server that a failure has left would keep the machine running

async function look(type, server, { share, ...wrong }, seen) {
  const note = (step) => console.log(JSON.stringify({ step: `${type}: ${step}` }));
  let running = await startServer(server);
  note("server started");
  await volumes.create(type, { options: share });
  const args = collectArguments();
  const path = await volumes.mount(type, "c");
  note("mounted");
  const ran = args();
  seen.sawMounting = ran.some((text) => text.includes("mount-child"));
  seen.passwordInArguments = ran.some((text) => text.includes(password));
  await writeFile(`${path}/file`, "content");
  seen.onServer = readFileSync(`${server.folder}/file`, "utf8");
  writeFileSync(`${server.folder}/other`, "from the server");
  seen.read = await readFile(`${path}/other`, "utf8");
  seen.mountinfo = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((line) => line.includes(` ${path} `));
  seen.status = (await volumes.get(type)).status;
  await volumes.unmount(type, "c");
  await volumes.remove(type);
  seen.left = readdirSync(server.folder).filter((name) => name !== "lost+found");
  note("removed");

  for (const [name, options] of Object.entries(wrong)) {
    seen[name] = await timed(async () => {
      await volumes.create(name, { options });
      await volumes.mount(name, "c");
    });
    await volumes.remove(name);
  }
  note("refused");

  seen.kit = await runKit(type, share);
  note("kit has run");

  await volumes.create(type, { options: share });
  await volumes.create("second", { options: { ...share, o: `${share.o},ro` } });
  await volumes.create("other", { options: { type: "tmpfs" } });
  await volumes.mount(type, "c");
  await running.kill();
  note("killed");
  const [ofShare, mountOfSecond, ofOther, listed] = await Promise.all([
    timed(async () => (await volumes.get(type)).status.Usage),
    timed(() => volumes.mount("second", "c")),
    timed(async () => {
      await volumes.mount("other", "c");
      await volumes.get("other");
      await volumes.unmount("other", "c");
    }),
    timed(async () => (await volumes.list()).length),
  ]);
  Object.assign(seen, { ofShare, mountOfSecond, ofOther, listed });
  note("looked at without a server");
  seen.unmountWithoutServer = await timed(() => volumes.unmount(type, "c"));
  note("unmounted without a server");
  seen.mountWithoutServer = await timed(() => volumes.mount(type, "d"));
  note("mounted without a server");

  running = await startServer(server);
  note("server is back");
  seen.mountWithServer = await timed(() => volumes.mount(type, "d"));
  seen.secondWithServer = await timed(() => volumes.mount("second", "d"));
  seen.readAgain = await readFile(`${path}/file`, "utf8");

  // Killed and back while it is mounted.
  await running.kill();
  running = await startServer(server);
  seen.readAfterRestart = await timed(() => readFile(`${path}/file`, "utf8"));
  note("killed and back");
  seen.kitBeside = await runKit(type, share);
  note("kit has run beside a volume whose server was killed");

  running.freeze();
  const [frozenShare, frozenList, frozenUnmount] = await Promise.all([
    timed(async () => (await volumes.get(type)).status.Usage),
    timed(async () => (await volumes.list()).length),
    timed(() => volumes.unmount("second", "d")),
  ]);
  running.thaw();
  Object.assign(seen, { frozenShare, frozenList, frozenUnmount });
  note("frozen and back");
  seen.readAfterFrost = await timed(() => readFile(`${path}/file`, "utf8"));
  await volumes.unmount(type, "d");
  for (const name of [type, "second", "other"]) await volumes.remove(name);
  seen.volumesLeft = (await volumes.list()).length;
  seen.mountsLeft = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes("/tmp/volumes/"));
  await running.kill();
}

/** The checks for volume drivers, of a driver of its own: how many passed, and what is wrong with the others. */
async function runKit(type, options) {
  const open = () => openManagedVolumes({ name: "kit", folder: `/tmp/kit-${type}`, types: volumeTypes, timeoutMs });
  const results = await runVolumeDriverKit({ open, options, listLimitMs: 5_000, expectedFailures });
  const failed = results.filter(({ outcome }) => outcome === "failed");
  return {
    passed: results.filter(({ outcome }) => outcome === "passed").length,
    failed: failed.map(({ id, error }) => `${id}: ${error?.message}`),
  };
}

async function timed(work) {
  const startedAt = performance.now();
  const outcome = await work().then(
    (value) => ({ value }),
    (error) => ({ code: error.code, message: error.message }),
  );
  return { ...outcome, ms: Math.round(performance.now() - startedAt) };
}

/** Looks at all processes until it is asked what arguments they had. */
function collectArguments() {
  const seen = new Set();
  const timer = setInterval(() => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
      } catch {
        continue; // it has ended
      }
    }
  }, 50);
  return () => {
    clearInterval(timer);
    return [...seen];
  };
}
