import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

import { btrfsRequests } from "./btrfs-requests.ts";

const names = Object.keys(btrfsRequests);
const program = `
  #include <stdio.h>
  #include <linux/btrfs.h>
  int main(void) { ${names.map((name) => `printf("%lu\\n", (unsigned long)BTRFS_IOC_${name});`).join(" ")} }
`;

it("the requests of btrfs are those that a C compiler makes of the kernel's header", ({ skip }) => {
  const script = 'set -e; cc -x c -o "$1" -; "$1"; rm "$1"';
  const output = `/tmp/cleat-btrfs-requests-${process.pid}`;
  if (spawnSync("cc", ["--version"]).error !== undefined)
    return skip("no cc in PATH (bring it with: apt-get install gcc)");
  const { stdout, stderr } = spawnSync("sh", ["-c", script, "sh", output], { input: program, encoding: "utf8" });
  if (stderr.includes("linux/btrfs.h")) return skip("no linux/btrfs.h (bring it with: apt-get install linux-libc-dev)");
  expect(stderr).toBe("");
  const kernels = stdout.trim().split("\n").map(Number);
  expect(btrfsRequests).toEqual(Object.fromEntries(names.map((name, at) => [name, kernels[at]])));
});
