import { mkdir } from "node:fs/promises";
import { runCommand } from "../processes/command.ts";
import { dataFolder } from "../images/base-image.ts";
import type { Namespace } from "../namespaces/namespace.ts";
import { listTree } from "../images/tree-listing.ts";
import type { Containerd } from "./containerd.ts";

/** One namespace of containerd's, whose images and containers are on one snapshotter. */
export interface Ctr {
  readonly snapshotter: string;
  /** Unpacks the images of an archive. */
  importImages(archive: string): Promise<void>;
  /** What an image holds. */
  contentOfImage(image: string): Promise<readonly string[]>;
  /** Starts a container that does nothing. */
  run(image: string, container: string): Promise<void>;
  /** Runs a shell script in a running container; returns what it printed. */
  exec(container: string, script: string): Promise<string>;
  /** What a running container sees in its data folder. */
  contentOfRunning(container: string): Promise<readonly string[]>;
  /** As the machine's processes are numbered in the namespace. */
  pidOf(container: string): Promise<number>;
  /** The entries of the layer that a container has made, as GNU tar lists them, without times. */
  diffOf(container: string): Promise<readonly string[]>;
  stop(container: string): Promise<void>;
  /** What `ctr snapshots` says: `snapshots("ls")`. */
  snapshots(...args: string[]): Promise<string>;
  /** Names of all snapshots. */
  names(): Promise<readonly string[]>;
  /**
   * What a snapshot that may be mounted holds. Later mount(8)s call fsconfig(2) for every option, which takes 255 bytes
   * of a value; and none knows the type by which containerd calls mount.fuse3.
   */
  contentOfSnapshot(key: string): Promise<readonly string[]>;
  /** Removes containers, images, snapshots and leases, and lets containerd collect what is left. */
  removeEverything(): Promise<void>;
}

export function createCtr(
  namespace: Namespace,
  containerd: Containerd,
  { space, snapshotter }: { readonly space: string; readonly snapshotter: string },
): Ctr {
  const { run, folder } = namespace;
  const ctr = (...args: string[]) => containerd.ctr(space, ...args);
  const snapshots = (...args: string[]) => ctr("snapshots", `--snapshotter=${snapshotter}`, ...args);
  const columns = async (text: Promise<string>) => (await text).split("\n").map((line) => line.trim().split(/\s+/));
  const firstColumn = async (text: Promise<string>) => (await columns(text)).slice(1).flatMap(([first = ""]) => first);
  const quiet = async (...args: string[]) => (await ctr(...args, "--quiet")).split("\n").filter(Boolean);

  async function pidOf(container: string): Promise<number> {
    const row = (await columns(ctr("tasks", "ls"))).find(([task]) => task === container);
    if (row?.[2] !== "RUNNING") throw new Error(`container ${container} of ${space} does not run: ${row?.join(" ")}`);
    return Number(row[1]);
  }

  /** `mount` is what makes the folder show something, and `unmount` what undoes it. */
  async function contentWhile(
    mount: (target: string) => Promise<unknown>,
    unmount: (target: string) => Promise<unknown>,
  ) {
    const target = `${folder}/mounted-${crypto.randomUUID()}`;
    await mkdir(target);
    await mount(target);
    try {
      return await listTree(run, target);
    } finally {
      await unmount(target);
    }
  }

  async function stop(container: string) {
    await ctr("tasks", "delete", "--force", container);
  }

  return {
    snapshotter,
    async importImages(archive) {
      await ctr("images", "import", `--snapshotter=${snapshotter}`, archive);
    },
    contentOfImage: (image) =>
      contentWhile(
        (target) => ctr("images", "mount", `--snapshotter=${snapshotter}`, image, target),
        (target) => ctr("images", "unmount", `--snapshotter=${snapshotter}`, "--rm", target),
      ),
    async run(image, container) {
      const group = `--cgroup=${namespace.controlGroup}/${space}-${container}`;
      await ctr("run", "--detach", "--null-io", `--snapshotter=${snapshotter}`, group, image, container, ...idle);
    },
    async exec(container, script) {
      const id = crypto.randomUUID();
      const printed = `/dev/shm/${id}`;
      // ctr 1.6 now and then cancels its own reading of what a short command prints.
      await ctr("tasks", "exec", `--exec-id=${id}`, container, "sh", "-c", `{ ${script}\n} > ${printed} 2>&1`);
      return (await run(["cat", `/proc/${await pidOf(container)}/root${printed}`])).trimEnd();
    },
    contentOfRunning: async (container) => listTree(run, `/proc/${await pidOf(container)}/root${dataFolder}`),
    pidOf,
    async diffOf(container) {
      const archive = `${folder}/diff-${crypto.randomUUID()}`;
      const words = [
        `--address=${containerd.socket}`,
        `--namespace=${space}`,
        "snapshots",
        `--snapshotter=${snapshotter}`,
      ];
      await run(["sh", "-c", '"$@" > "$0"', archive, "ctr", ...words, "diff", container]);
      return listArchive(archive);
    },
    stop,
    snapshots,
    names: () => firstColumn(snapshots("ls")),
    contentOfSnapshot: (key) =>
      contentWhile(
        async (target) => {
          const command = (await snapshots("mounts", target, key)).replace(" fuse3.", " fuse.");
          await run(["env", "LIBMOUNT_FORCE_MOUNT2=always", "sh", "-ec", command]);
        },
        (target) => run(["umount", target]),
      ),
    async removeEverything() {
      for (const task of await quiet("tasks", "ls")) await stop(task);
      for (const container of await quiet("containers", "ls")) await ctr("containers", "delete", container);
      for (const lease of await quiet("leases", "ls")) await ctr("leases", "delete", lease);
      const images = await quiet("images", "ls");
      if (images.length > 0) await ctr("images", "rm", ...images);
      await removeChildrenFirst(snapshots);
      // The collector runs before this returns.
      await ctr("leases", "delete", "--sync", (await ctr("leases", "create")).trim());
    },
  };
}

const idle = ["sleep", "3600"];

/** Snapshots that a test or `ctr` itself has rooted. A parent cannot go before its children. */
async function removeChildrenFirst(snapshots: Ctr["snapshots"]): Promise<void> {
  for (;;) {
    const rows = (await snapshots("ls")).split("\n").slice(1);
    const parsed = rows.map((row) => row.trim().split(/\s+/));
    const parents = new Set(parsed.filter((row) => row.length === 3).map(([, parent]) => parent));
    const leaves = parsed.map(([name = ""]) => name).filter((name) => name !== "" && !parents.has(name));
    if (leaves.length === 0) return;
    // containerd's collector is at it, too.
    await snapshots("rm", ...leaves).catch((error: Error) => {
      if (!error.message.includes("not found")) throw error;
    });
  }
}

/**
 * Names, kinds, modes, owners, sizes, link targets. With this machine's tar: other releases are unpacked without gzip.
 */
async function listArchive(archive: string): Promise<readonly string[]> {
  const listed = await runCommand([
    "tar",
    "--list",
    "--verbose",
    "--numeric-owner",
    "--full-time",
    `--file=${archive}`,
  ]);
  return listed
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* /, " "))
    .toSorted();
}
