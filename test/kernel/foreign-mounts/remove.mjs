/** Removes what has somebody else's folder mounted in it, in the way that is named, and says what was left of that. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { removeInPlace, removeSubvolumes } from "../../../dist/drivers/btrfs/remove-subvolumes.js";
import { sweepStore } from "../../../dist/drivers/overlay/diffs/layer-diff.js";
import { prepareHome } from "../../../dist/graphdriver/kit.js";
import { withFolderAt } from "../../../dist/layer/index.js";
import { close, readMounts } from "../../../dist/syscall/index.js";
import { openByLook } from "../../../dist/layer/tree/remove-tree.js";
import { removeTrees } from "../../../dist/volumedrivers/mounting/run-tool.js";
import { markOf } from "../../../dist/volumedrivers/mounting/tree-mark.js";
import { withLock } from "../../../dist/layerstore/with-lock.js";

const toolChild = fileURLToPath(new URL("../../../dist/volumedrivers/mounting/tool-child.js", import.meta.url));
const [way, folder] = process.argv.slice(2);
const [home, foreign] = [`${folder}/home`, `${folder}/foreign`];
mkdirSync(home);
mkdirSync(`${foreign}/folder`, { recursive: true });
writeFileSync(`${foreign}/folder/file`, "somebody's");
const run = (program, ...args) =>
  execFileSync(program, args, { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });

/** A folder in which the other one is mounted. */
function mountBelow(path) {
  mkdirSync(`${path}/mounted`, { recursive: true });
  run("mount", "--bind", foreign, `${path}/mounted`);
}

/** A layer with a subvolume that a container made, so that its folders are walked. */
function makeSubvolume() {
  run("btrfs", "subvolume", "create", `${home}/layer`);
  run("btrfs", "subvolume", "create", `${home}/layer/own`);
  run("btrfs", "subvolume", "create", `${foreign}/kept`);
  run("btrfs", "property", "set", `${foreign}/kept`, "ro", "true");
  mountBelow(`${home}/layer`);
}

const ways = {
  "a removal on a full btrfs": () => {
    makeSubvolume();
    withFolderAt(home, (opened) => removeInPlace(opened, "layer"));
  },
  "a removal on btrfs": () => {
    makeSubvolume();
    withFolderAt(home, (opened) => removeSubvolumes(opened, "layer"));
  },
  "a removal before Linux 5.6": () => {
    mountBelow(`${home}/layer/deep`);
    withFolderAt(home, (opened) => close(openByLook(opened, "layer")));
    withFolderAt(`${home}/layer/deep`, (opened) => openByLook(opened, "mounted"));
  },
  "the deletion of a volume": async () => {
    mountBelow(`${home}/trash/volume`);
    mkdirSync(`${home}/trash/other`);
    const removed = removeTrees([`${home}/trash/volume`, `${home}/trash/other`]);
    await removed.catch(() => {});
    if (existsSync(`${home}/trash/other`)) throw new Error("what cannot be deleted keeps another");
    await removed;
  },
  "a deletion that was ordered before": () => {
    const path = `${home}/trash/volume`;
    mkdirSync(path, { recursive: true });
    const order = { tool: "rm", subjects: [path], marks: [markOf(path)] };
    renameSync(path, `${home}/trash/gone`);
    mountBelow(path);
    writeFileSync(`${path}/file`, "of the next volume of that name");
    const remove = () => execFileSync(process.execPath, [toolChild], { input: JSON.stringify(order) });
    remove();
    if (!existsSync(`${path}/file`)) throw new Error("another volume was deleted");
    renameSync(path, `${home}/trash/another`);
    renameSync(`${home}/trash/gone`, path);
    remove();
    if (existsSync(path)) throw new Error("the volume is not deleted");
  },
  "the opening of a store": () => {
    prepareHome(home, 0);
    mkdirSync(`${home}/l`);
    mountBelow(`${home}/.cleat/trash/layer`);
    run("mount", "--bind", `${foreign}/folder`, `${home}/.cleat/trash/layer/mounted/folder`);
    sweepStore(home);
    const left = readMounts().filter(({ mountPoint }) => mountPoint.startsWith(home));
    if (left.length > 0) throw new Error("something is left mounted");
  },
  "the end of a repair": () => withLock(home, async () => mountBelow(`${home}/.cleat/trash/layer`)),
};

let failure = "none";
try {
  await ways[way]();
} catch (error) {
  failure = /EBUSY/.exec(error.message)?.[0] ?? error.code;
}
const isKept = existsSync(`${foreign}/kept`);
console.log(
  JSON.stringify({
    failure,
    left: readdirSync(foreign, { recursive: true })
      .filter((name) => name !== "kept")
      .toSorted(),
    isReadOnly: isKept ? run("btrfs", "property", "get", `${foreign}/kept`, "ro").trim() : "ro=true",
  }),
);
