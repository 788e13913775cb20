import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { close, fileSystemName, fileSystemNames, O_RDONLY, openPath } from "../index.ts";

const docker = "/usr/share/gocode/src/github.com/docker/docker/daemon/graphdriver/driver_linux.go";
const kernel = "/usr/include/linux/magic.h";

describe("names of file systems", () => {
  it("are Docker's where it has one", ({ skip }) => {
    if (!existsSync(docker)) return skip(`${docker} is not here (bring it with: npm run engines)`);
    const source = readFileSync(docker, "utf8");
    const numbers = [...source.matchAll(/(FsMagic\w+) += FsMagic\((0x[\da-fA-F]+)\)/g)];
    const names = new Map([...source.matchAll(/(FsMagic\w+): +"(\w+)"/g)].map(([, id, name]) => [id, name]));
    const known = numbers.filter(([, id]) => id !== "FsMagicUnsupported");
    expect(known.length).toBeGreaterThan(15);
    expect(known.map(([, , number]) => fileSystemNames[Number(number)])).toEqual(known.map(([, id]) => names.get(id)));
  });

  it("are there for every file system of the kernel's header that can be mounted", ({ skip }) => {
    if (!existsSync(kernel)) return skip(`${kernel} is not here (bring it with: apt-get install linux-libc-dev)`);
    const defined = [...readFileSync(kernel, "utf8").matchAll(/^#define (\w+_MAGIC\w*)\s+(0x[\da-fA-F]+)/gm)];
    const unnamed = defined.filter(([, , number]) => fileSystemNames[Number(number)] === undefined);
    expect(unnamed.map(([, name]) => name)).toEqual(internal);
  });

  it("tell what an open file lies on", () => {
    const descriptor = openPath("/proc/self/status", O_RDONLY);
    expect(fileSystemName(descriptor)).toBe("proc");
    close(descriptor);
  });
});

/** Nobody keeps files in these, or mounts them. */
const internal = [
  "OPENPROM_SUPER_MAGIC",
  "RDTGROUP_SUPER_MAGIC",
  "STACK_END_MAGIC",
  "BDEVFS_MAGIC",
  "DAXFS_MAGIC",
  "BINDERFS_SUPER_MAGIC",
  "FUTEXFS_SUPER_MAGIC",
  "PIPEFS_MAGIC",
  "SOCKFS_MAGIC",
  "USBDEVICE_SUPER_MAGIC",
  "MTD_INODE_FS_MAGIC",
  "ANON_INODE_FS_MAGIC",
  "BTRFS_TEST_MAGIC",
  "AAFS_MAGIC",
  "DMA_BUF_MAGIC",
  "DEVMEM_MAGIC",
  "SECRETMEM_MAGIC",
];
