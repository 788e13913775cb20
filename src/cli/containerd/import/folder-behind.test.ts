import { expect, it } from "vitest";
import { folderBehind } from "./folder-behind.ts";

const mount = (type: string, options: string[]) => ({ type, source: "/source", target: "", options });

it.each([
  ["of an overlay the upper one", [mount("overlay", ["workdir=/w", "upperdir=/u", "lowerdir=/a:/b"])], "/u"],
  ["of fuse-overlayfs too", [mount("fuse3.fuse-overlayfs", ["upperdir=/u", "lowerdir=/a"])], "/u"],
  ["of a bind the bound one", [mount("bind", ["rw", "rbind"])], "/source"],
  ["none of a device", [mount("btrfs", ["subvolid=5"])], undefined],
  ["none of several", [mount("bind", ["rw"]), mount("bind", ["rw"])], undefined],
  ["none of none", [], undefined],
])("%s", (_, mounts, folder) => {
  expect(folderBehind(mounts)).toBe(folder);
});
