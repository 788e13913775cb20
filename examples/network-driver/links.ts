/** Links of the kernel by the command `ip`, in a child process without a shell, each time with a deadline. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CleatError } from "cleat/errors";

const deadlineMs = 10_000;

/** @throws DEADLINE_EXCEEDED, CANCELLED, or FAILED_PRECONDITION with what `ip` said. */
export async function ip(args: readonly string[], signal?: AbortSignal): Promise<string> {
  try {
    const options = { timeout: deadlineMs, killSignal: "SIGKILL", ...(signal !== undefined && { signal }) } as const;
    return (await promisify(execFile)("ip", args, options)).stdout;
  } catch (error) {
    const { stderr = "", killed = false, name } = error as Error & { stderr?: string; killed?: boolean };
    const command = `"ip ${args.join(" ")}"`;
    if (name === "AbortError") throw new CleatError("CANCELLED", `${command} was given up`, { cause: error });
    if (killed) throw new CleatError("DEADLINE_EXCEEDED", `${command} took over ${deadlineMs} ms`, { cause: error });
    throw new CleatError("FAILED_PRECONDITION", `${command}: ${stderr.trim()}`, { cause: error });
  }
}

export interface Link {
  readonly ifname: string;
  /** Its MAC address. */
  readonly address: string;
}

export async function listLinks(signal?: AbortSignal): Promise<Link[]> {
  return JSON.parse((await ip(["-json", "link", "show"], signal)) || "[]") as Link[];
}

export async function findLink(name: string, signal?: AbortSignal): Promise<Link | undefined> {
  return (await listLinks(signal)).find(({ ifname }) => ifname === name);
}

/** One that is not there is deleted already. With one of a veth pair goes the other. */
export async function deleteLink(name: string, signal?: AbortSignal): Promise<void> {
  if ((await findLink(name, signal)) !== undefined) await ip(["link", "delete", name], signal);
}
