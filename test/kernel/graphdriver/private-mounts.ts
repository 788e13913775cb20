import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { TestRunner } from "vitest";

import { scratchBase } from "../../harness/namespaces/scratch.ts";

/** How to make a file system in a file. The sizes are near the least that each mkfs accepts. */
const makes = {
  ext4: { size: "256M", mkfs: "mkfs.ext4 -q -b 4096" },
  /** Its inodes have no room for parts of a second. */
  "ext4 with whole seconds": { size: "256M", mkfs: "mkfs.ext4 -q -b 4096 -I 128" },
  /** Gives a file the group of its folder, also where that has no setgid bit. */
  "ext4 with folders' groups": { size: "64M", mkfs: "mkfs.ext4 -q", mountOptions: "grpid" },
  xfs: { size: "320M", mkfs: "mkfs.xfs -q -K -m reflink=1" },
  "xfs without reflink": { size: "320M", mkfs: "mkfs.xfs -q -K -m reflink=0" },
  /**
   * Its folders hold no types of files, as those of xfs made with ftype=0, which many kernels do not mount any more.
   */
  "ext4 without d_type": { size: "64M", mkfs: "mkfs.ext4 -q -O ^filetype" },
  /** The kernel gives the space of what was deleted back when it has time. */
  btrfs: { size: "800M", mkfs: "mkfs.btrfs -q -K" },
  /** So small that a layer of some megabytes fills it. */
  "tiny ext4": { size: "16M", mkfs: "mkfs.ext4 -q" },
  "tiny btrfs": { size: "24M", mkfs: "mkfs.btrfs -q -K --mixed --metadata single" },
} as const;

export type LoopFileSystem = keyof typeof makes;

export interface PrivateRun {
  /** The scratch folder lies on a new file system of this kind; default that of the machine. */
  readonly fileSystem?: LoopFileSystem | undefined;
  /** Runs the command as a user who may do nothing. */
  readonly unprivileged?: boolean | undefined;
  /** Runs the command as root of a user namespace of 65,536 ids, which it neither leaves nor had a hand in making. */
  readonly userNamespace?: boolean | undefined;
  /** Kills the command, and whatever it started; default that of the test that runs, which a timeout aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Told what the command prints, line by line. */
  onLine?(line: string): void;
}

/**
 * Images lie in memory, where making a layer durable costs nothing. The loop device goes with its mount. Only who is
 * outside may map many ids, so the user namespace is made first, by a process that holds it while it is mapped and
 * entered.
 */
const script = `
  set -e
  cd "$1"
  if [ -n "$2" ]; then
    mkdir images
    mount -t tmpfs -o size=1g images images
    truncate -s "$2" images/image
    $3 images/image >/dev/null
    mkdir scratch
    mount -o "loop$5" images/image scratch
  else
    mkdir scratch
  fi
  if [ "$4" = unprivileged ]; then
    chown 65534:65534 scratch
    exec setpriv --reuid 65534 --regid 65534 --clear-groups "\${@:6}"
  fi
  if [ "$4" = namespace ]; then
    chown 100000:100000 scratch
    if [ -e /dev/fuse ]; then
      mknod -m 666 fuse c 10 229
      mount --bind fuse /dev/fuse
    fi
    coproc unshare --user sh -c 'echo made; read -r end'
    read -r made <&"\${COPROC[0]}"
    echo 0 100000 65536 >"/proc/$COPROC_PID/uid_map"
    echo 0 100000 65536 >"/proc/$COPROC_PID/gid_map"
    enter="nsenter --user=/proc/$COPROC_PID/ns/user --setuid 0 --setgid 0"
    exec $enter unshare --mount --propagation private "\${@:6}"
  fi
  exec "\${@:6}"
`;

/**
 * Runs a command in a mount namespace of its own: whatever it leaves mounted, however it ends, is gone with it. It is
 * given the path of an empty folder. Rejects with what it said when it fails.
 */
export async function runWithPrivateMounts(
  command: (scratch: string) => readonly string[],
  {
    fileSystem,
    unprivileged,
    userNamespace,
    signal = TestRunner.getCurrentTest()?.context.signal,
    onLine,
  }: PrivateRun = {},
): Promise<void> {
  const folder = await mkdtemp(join(scratchBase, "cleat-"));
  try {
    await chmod(folder, 0o755);
    const make = fileSystem === undefined ? undefined : makes[fileSystem];
    const { size = "", mkfs = "" } = make ?? {};
    const options = make !== undefined && "mountOptions" in make ? `,${make.mountOptions}` : "";
    const user = unprivileged ? "unprivileged" : userNamespace ? "namespace" : "";
    const namespace = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const shell = ["bash", "-c", script, "private-mounts", folder, size, mkfs, user, options];
    const child = spawn("unshare", [...namespace, ...shell, ...command(join(folder, "scratch"))], {
      ...(signal && { signal }),
      killSignal: "SIGKILL",
    });
    await finish(child, onLine);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function finish(child: ChildProcess, onLine: PrivateRun["onLine"]): Promise<void> {
  let said = "";
  let rest = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stdout?.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine?.(line);
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on("error", reject).on("close", (...ended) => resolve(ended));
  });
  if (code !== 0) throw new Error(`ended with ${signal ?? `code ${code}`}: ${said}`);
}
