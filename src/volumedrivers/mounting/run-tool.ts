import { fileURLToPath } from "node:url";
import { toCleatError } from "../../errors/index.ts";
import { type HelperOptions, runHelper } from "./run-helper.ts";
import type { ToolOrder } from "./tool-child.ts";

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
  /** Takes every name, and crosses into no mount. */
  rm: ["-rf", "--one-file-system", "--"],
} as const;

export type Tool = keyof typeof commands;

const programs: Readonly<Record<Tool, string>> = {
  umount: "umount",
  detach: "umount",
  enslave: "mount",
  statfs: "stat",
  stat: "stat",
  lookup: "getent",
  rm: "rm",
};
const child = fileURLToPath(new URL("./tool-child.js", import.meta.url));

/**
 * Does it in a process that can be killed: the host's program, which starts in a millisecond, or where there is none,
 * as in a managed plugin of Docker's, a Node. Resolves to what it said.
 * @throws what `runHelper` throws.
 */
export async function runTool(
  tool: Tool,
  subject: string,
  { signal }: Pick<HelperOptions, "signal"> = {},
): Promise<string> {
  try {
    return await runHelper(programs[tool], [...commands[tool], subject], { signal });
  } catch (error) {
    if (signal?.aborted === true || toCleatError(error).code !== "UNIMPLEMENTED") throw error;
    const order: ToolOrder = { tool, subject };
    return await runHelper(process.execPath, [child], { signal, input: JSON.stringify(order) });
  }
}
