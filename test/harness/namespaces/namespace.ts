import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { basename } from "node:path";
import { runCommand } from "../processes/command.ts";
import { startDaemon, type Daemon } from "../processes/daemon.ts";
import { changeRootScript } from "./change-root.ts";
import { removeControlGroups } from "./control-groups.ts";
import { type EngineRelease, machine } from "./release.ts";
import { createScratch } from "./scratch.ts";

/**
 * Mounts, processes and network of one test's own. Its first process lives as long as we hold its standard input, and
 * the kernel ends everything in it with that process: nothing outlives a test, not even one that is killed.
 */
export interface Namespace extends AsyncDisposable {
  /** A folder on the host's disk for the data of what runs in here. */
  readonly folder: string;
  /** Parent of the control groups of what runs in here, as engines spell it: `/name`. */
  readonly controlGroup: string;
  /** The command before what is to run in here. */
  readonly enter: readonly string[];
  run(argv: readonly string[]): Promise<string>;
  /** Where the host reaches an absolute path of the namespace, whatever is mounted there. */
  reach(path: string): string;
  start(name: string, argv: readonly string[]): Promise<Daemon>;
  /** The same with this machine's own files, and only the network and the processes of in here. */
  startWithMachineFiles(name: string, argv: readonly string[]): Promise<Daemon>;
  /** Where something is mounted in here, at or below `path`. */
  mountsUnder(path: string): Promise<string[]>;
}

/**
 * bash, because it collects the processes whose parents have died. `/run` holds what engines and plugins agree on by
 * path, and the host's must not be met there. Arguments are those of `changeRootScript`, if the root is another.
 */
const firstProcess = `
  set -e
  mount -t tmpfs run /run
  mkdir -p /run/docker/plugins
  [ -n "$(ls -A /sys/fs/cgroup)" ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
  if [ $# -gt 0 ]; then
    ${changeRootScript}
  fi
  echo ready
  read -r _ || true
`;

const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LC_ALL: "C.UTF-8" };

export interface NamespaceOptions {
  /** Folders of the machine's that are to be under their own paths also where the root is another. */
  readonly folders?: readonly string[];
}

/** For the engines of `release`, on the root that they take. */
export async function openNamespace(
  { root }: Pick<EngineRelease, "root"> = machine,
  { folders = [] }: NamespaceOptions = {},
): Promise<Namespace> {
  const scratch = await createScratch();
  const controlGroup = `/${basename(scratch.path)}`;
  const unshare = ["--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc"];
  const changeRoot = root === undefined ? [] : [root, process.execPath, process.cwd(), ...folders];
  const holder = spawn("unshare", [...unshare, "bash", "-c", firstProcess, "first-process", ...changeRoot], {
    stdio: ["pipe", "pipe", "inherit"],
    env,
  });
  const ended = once(holder, "exit");
  const [line] = await Promise.race([once(createInterface(holder.stdout), "line"), ended]);
  if (line !== "ready") throw new Error("the namespace was not made: see what unshare said");
  const children = await readFile(`/proc/${holder.pid}/task/${holder.pid}/children`, "utf8");
  const first = children.trim();
  const enterFirst = ["nsenter", "--target", first, "--pid", "--net"];
  const enter = [...enterFirst, "--mount"];
  const run = (argv: readonly string[]) => runCommand([...enter, ...argv], { env });
  return {
    folder: scratch.path,
    controlGroup,
    enter,
    run,
    reach: (path) => `/proc/${first}/root${path}`,
    start: (name, argv) => startDaemon(enter, argv, { logPath: `${scratch.path}/${name}.log`, env }),
    startWithMachineFiles: (name, argv) =>
      startDaemon(enterFirst, argv, { logPath: `${scratch.path}/${name}.log`, env }),
    async mountsUnder(path) {
      const mountPoints = (await run(["cat", "/proc/self/mountinfo"]))
        .split("\n")
        .map((row) => row.split(" ")[4] ?? "");
      return mountPoints.filter((mountPoint) => mountPoint === path || mountPoint.startsWith(`${path}/`));
    },
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await ended;
      await removeControlGroups(controlGroup);
      await scratch[Symbol.asyncDispose]();
    },
  };
}
