/** Applies an archive to folders of another group than the process's, and says whose what it made is. */
import { execFileSync } from "node:child_process";
import { chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { applyLayer, withFolderAt } from "../../../dist/layer/index.js";

const [folder] = process.argv.slice(2);
const source = mkdtempSync(join(tmpdir(), "cleat-groups-"));
try {
  mkdirSync(`${source}/home/new`, { recursive: true });
  chownSync(`${source}/home`, 1000, 1000);
  for (const name of ["home/root", "home/new/root"]) writeFileSync(`${source}/${name}`, "", { mode: 0o640 });
  for (const name of ["home/user", "home/new/user"]) {
    writeFileSync(`${source}/${name}`, "", { mode: 0o640 });
    chownSync(`${source}/${name}`, 1000, 1000);
  }
  const names = ["home/root", "home/user", "home/new", "home/new/root", "home/new/user"];
  const bytes = execFileSync("tar", ["--create", "--no-recursion", "--directory", source, ...names]);

  mkdirSync(`${folder}/layer/home`, { recursive: true });
  chownSync(`${folder}/layer/home`, 1000, 1000);
  const rest = [bytes];
  const archive = { read: () => rest.shift() };
  process.umask(0);
  const options = { whiteouts: { kind: "delete" }, ids: { uids: [], gids: [] }, syncFiles: false };
  withFolderAt(`${folder}/layer`, (layer) => applyLayer(archive, layer, options));
  const told = names.map((name) => {
    const { uid, gid, mode } = lstatSync(`${folder}/layer/${name}`);
    return [name, `${uid}:${gid} ${(mode & 0o7777).toString(8)}`];
  });
  console.log(JSON.stringify(Object.fromEntries(told)));
} finally {
  rmSync(source, { recursive: true });
}
