import { expect, it } from "vitest";

import { mountHolding, parseMountInfo, readMounts } from "../index.ts";

it("reads a mount whatever optional fields it has", () => {
  const text = [
    "22 27 0:21 / /proc rw,nosuid shared:12 - proc proc rw",
    "36 35 98:0 /mnt1 /mnt\\040two\\134x rw master:1 propagate_from:2 unbindable - ext3 /dev/root rw,errors=continue",
    "40 35 0:40 /- /- rw - overlay overlay rw,lowerdir=l/A:l/B,upperdir=a-b",
    "41 35 0:41 / /new\\012line\\011tab rw - tmpfs none rw",
    "",
  ].join("\n");
  expect(parseMountInfo(text)).toEqual([
    {
      mountPoint: "/proc",
      fileSystemType: "proc",
      device: "0:21",
      root: "/",
      propagation: ["shared:12"],
      options: "rw,nosuid",
      superOptions: "rw",
    },
    {
      mountPoint: "/mnt two\\x",
      fileSystemType: "ext3",
      device: "98:0",
      root: "/mnt1",
      propagation: ["master:1", "propagate_from:2", "unbindable"],
      options: "rw",
      superOptions: "rw,errors=continue",
    },
    {
      mountPoint: "/-",
      fileSystemType: "overlay",
      device: "0:40",
      root: "/-",
      propagation: [],
      options: "rw",
      superOptions: "rw,lowerdir=l/A:l/B,upperdir=a-b",
    },
    {
      mountPoint: "/new\nline\ttab",
      fileSystemType: "tmpfs",
      device: "0:41",
      root: "/",
      propagation: [],
      options: "rw",
      superOptions: "rw",
    },
  ]);
});

it("finds where this process lives", () => {
  expect(readMounts().map(({ mountPoint }) => mountPoint)).toContain("/proc");
});

it.each([
  ["/", "ext4"],
  ["/data", "xfs"],
  ["/data/layers", "xfs"],
  ["/database", "ext4"],
  ["/data/merged", "fuse.fuse-overlayfs"],
])("knows what holds %s", (path, type) => {
  const mounts = [
    { mountPoint: "/", fileSystemType: "ext4" },
    { mountPoint: "/data", fileSystemType: "btrfs" },
    { mountPoint: "/data", fileSystemType: "xfs" },
    { mountPoint: "/data/merged", fileSystemType: "fuse.fuse-overlayfs" },
  ];
  expect(mountHolding(path, mounts)?.fileSystemType).toBe(type);
});
