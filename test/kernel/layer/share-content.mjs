/** Shares a tree with a copy of it, and says what became of both. */
import { execFileSync } from "node:child_process";
import { linkSync, lstatSync, mkdirSync, readFileSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";

import { shareContent, withFolderAt } from "../../../dist/layer/index.js";

const [folder] = process.argv.slice(2);
const [from, to] = [`${folder}/from`, `${folder}/to`];
const mebibyte = 2 ** 20;

mkdirSync(`${from}/deep/er`, { recursive: true });
writeFileSync(`${from}/deep/large`, randomBytes(17 * mebibyte + 123));
linkSync(`${from}/deep/large`, `${from}/deep/er/linked`);
writeFileSync(`${from}/small`, "small");
writeFileSync(`${from}/empty`, "");
writeFileSync(`${from}/differs`, Buffer.alloc(mebibyte, "a"));
writeFileSync(`${from}/only`, Buffer.alloc(mebibyte, "only"));
writeFileSync(`${from}/longer`, Buffer.alloc(mebibyte, "longer"));
writeFileSync(`${from}/kept`, "kept");
execFileSync("cp", ["--archive", "--reflink=never", from, to]);
writeFileSync(`${to}/differs`, Buffer.alloc(mebibyte, "b"));
writeFileSync(`${to}/longer`, "shorter");
execFileSync("rm", [`${to}/only`, `${to}/kept`]);
symlinkSync("../from/kept", `${to}/kept`);

const names = ["deep/large", "deep/er/linked", "small", "empty", "differs", "longer", "kept", "deep", "."];
const look = (root) =>
  names.map((name) => {
    const { mode, uid, size, mtimeNs, ctimeNs, nlink } = lstatSync(`${root}/${name}`, { bigint: true });
    const content = name === "deep" || name === "." ? "" : readFileSync(`${root}/${name}`, "base64");
    return [name, mode, uid, size, mtimeNs, ctimeNs, nlink, content].join();
  });
const freeBytes = () => {
  execFileSync("sync", ["--file-system", folder]);
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};
const share = () => withFolderAt(from, (source) => withFolderAt(to, (target) => shareContent(source, target)));

const [before, free] = [[look(from), look(to)], freeBytes()];
const first = share();
const gained = freeBytes() - free;
const again = share();
const isUnchanged = JSON.stringify([look(from), look(to)]) === JSON.stringify(before);
const extents = execFileSync("filefrag", ["-v", `${to}/deep/large`], { encoding: "utf8" });
writeFileSync(`${to}/deep/large`, "written to the copy");
const isApart = lstatSync(`${from}/deep/large`).size === 17 * mebibyte + 123;
console.log(JSON.stringify({ first, again, gained, isUnchanged, isApart, saysShared: /shared/.test(extents) }));
