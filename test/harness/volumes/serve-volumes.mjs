/**
 * The servers of `volume-servers.mjs` for as long as this process runs: `node serve-volumes.mjs FOLDER PROGRAMS`, in
 * mounts of its own. `FOLDER/servers.json` holds the options of a volume of each, and is there when all of them listen.
 */
import { spawn } from "node:child_process";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { addPrograms, isListening, setUpSshServer, setUpWebdavServer } from "./volume-servers.mjs";

const [, , folder, programs] = process.argv;
const password = "s3cr3t-word";
addPrograms(programs);
for (const name of ["ssh", "webdav"]) await mkdir(`${folder}/${name}`);
const servers = {
  sshfs: await setUpSshServer({ keys: `${folder}/keys`, served: `${folder}/ssh`, password }),
  rclone: await setUpWebdavServer({ accounts: `${folder}/accounts`, served: `${folder}/webdav`, password }),
};
const children = Object.values(servers).map(({ program, args }) => spawn(program, args, { stdio: "inherit" }));
for (const child of children)
  child.once("exit", () => {
    throw new Error(`${child.spawnfile} has ended`);
  });
for (const { port } of Object.values(servers)) while (!isListening(port)) await delay(20);
const options = Object.fromEntries(Object.entries(servers).map(([type, server]) => [type, server.options]));
await writeFile(`${folder}/servers.json.staged`, JSON.stringify(options));
await rename(`${folder}/servers.json.staged`, `${folder}/servers.json`);
