import { fileURLToPath } from "node:url";
import { toCleatError } from "../../errors/index.ts";
import { type HelperOptions, runHelper } from "./run-helper.ts";
import type { ToolOrder } from "./tool-child.ts";
import { markOf } from "./tree-mark.ts";

/** Programs of the host that do something with a path, or a name. */
const commands = {
  /** Without a file system's own program, such as umount.nfs. */
  umount: ["--no-canonicalize", "--internal-only", "--"],
  /** At once, with what is mounted below; who has files open keeps them. */
  detach: ["--no-canonicalize", "--internal-only", "--lazy", "--"],
  /** What is unmounted below is unmounted nowhere else. */
  enslave: ["--make-rslave", "--"],
  statfs: ["--file-system", "--format=%S %b %f %a %c %d", "--"],
  stat: ["--format=%i", "--"],
  /** Addresses of a machine, the best first, as all programs of the host find them. */
  lookup: ["ahosts", "--"],
} as const;

type Command = keyof typeof commands;

/** Among them what no program of the host does well enough. */
export type Tool = Command | "rm";

const programs: Readonly<Record<Command, string>> = {
  umount: "umount",
  detach: "umount",
  enslave: "mount",
  statfs: "stat",
  stat: "stat",
  lookup: "getent",
};
const child = fileURLToPath(new URL("./tool-child.js", import.meta.url));

type ToolOptions = Pick<HelperOptions, "signal">;

/**
 * Does it in a process that can be killed: the host's program, which starts in a millisecond, or where there is none,
 * as in a managed plugin of Docker's, a Node. Resolves to what it said.
 * @throws what `runHelper` throws.
 */
export async function runTool(tool: Command, subject: string, options: ToolOptions = {}): Promise<string> {
  try {
    return await runHelper(programs[tool], [...commands[tool], subject], options);
  } catch (error) {
    if (options.signal?.aborted === true || toCleatError(error).code !== "UNIMPLEMENTED") throw error;
    return await runChild({ tool, subjects: [subject] }, options);
  }
}

/**
 * Removes trees, with what is immutable in them, and crosses into no mount, in a process that can be killed. One Node
 * does it for all, as starting one takes a tenth of a second of processor time; what cannot be removed keeps none of
 * the others, and what has come to a path since stays. rm(1) with `--one-file-system` compares devices alone (coreutils
 * 9.1 `src/remove.c`), and so deletes what a bind mount shows of the same file system; that nothing was mounted before
 * it began does not say that nothing is meanwhile.
 * @throws what `runHelper` throws.
 */
export async function removeTrees(paths: readonly string[], options: ToolOptions = {}): Promise<void> {
  await runChild({ tool: "rm", subjects: paths, marks: paths.map(markOf) }, options);
}

function runChild(order: ToolOrder, { signal }: ToolOptions): Promise<string> {
  return runHelper(process.execPath, [child], { signal, input: JSON.stringify(order) });
}
