import { once } from "node:events";
import { fstatSync, readFileSync } from "node:fs";
import type { Server } from "node:net";
import { CleatError, isSystemError } from "../../errors/index.ts";
import { formatAddress } from "../locations/address.ts";
import type { Listening } from "./listening.ts";

/** systemd passes its sockets from this descriptor on. Source: sd_listen_fds(3). */
const firstInherited = 3;

/** A socket that this process was started with. */
export interface InheritedSocket {
  readonly descriptor: number;
  /** `FileDescriptorName=` of its unit, by default the unit's name: "cleat.socket". */
  readonly name: string;
}

/**
 * The sockets that systemd has passed to this process; none where they are meant for another one.
 * Source: sd_listen_fds_with_names(3), which calls "unknown" what has no name.
 */
export function inheritedSockets(
  environment: NodeJS.ProcessEnv = process.env,
  pid: number = process.pid,
): readonly InheritedSocket[] {
  const { LISTEN_PID: forPid, LISTEN_FDS: count = "", LISTEN_FDNAMES: names = "" } = environment;
  if (forPid !== String(pid) || !/^\d{1,4}$/.test(count)) return [];
  const named = names.split(":");
  return Array.from({ length: Number(count) }, (_, at) => ({
    descriptor: firstInherited + at,
    name: named[at] || "unknown",
  }));
}

/**
 * The one socket that systemd has passed, or the one of that name.
 * @throws FAILED_PRECONDITION when there is none, or several that fit.
 */
export function findInheritedSocket(name?: string, sockets: readonly InheritedSocket[] = inheritedSockets()): number {
  const fitting = sockets.filter((socket) => name === undefined || socket.name === name);
  const [only, ...others] = fitting;
  if (only !== undefined && others.length === 0) return only.descriptor;
  if (sockets.length === 0) {
    const message =
      "no socket was passed to this process (LISTEN_PID, LISTEN_FDS); start it by a socket unit of systemd";
    throw new CleatError("FAILED_PRECONDITION", message);
  }
  const passed = sockets.map((socket) => JSON.stringify(socket.name)).join(", ");
  const wanted = name === undefined ? "one of them has to be named" : `${fitting.length} have the name "${name}"`;
  throw new CleatError("FAILED_PRECONDITION", `sockets ${passed} were passed to this process: ${wanted}`);
}

/**
 * Makes `server` listen on a socket that this process was started with. The socket stays its maker's: calls that come
 * while nobody serves wait in it, so it is not removed.
 * @throws FAILED_PRECONDITION when the descriptor is not a listening socket.
 */
export async function listenOnInherited(server: Server, descriptor = firstInherited): Promise<Listening> {
  const failed = new AbortController();
  server.once("error", (error) => failed.abort(error));
  try {
    server.listen({ fd: descriptor });
    if (!server.listening) await once(server, "listening", { signal: failed.signal });
  } catch (cause) {
    const reason = failed.signal.aborted ? (failed.signal.reason as Error).message : String(cause);
    const message = `descriptor ${descriptor} is not a listening socket: ${reason}`;
    throw new CleatError("FAILED_PRECONDITION", message, { cause });
  }
  return { address: addressOf(server, descriptor), remove: async () => {} };
}

function addressOf(server: Server, descriptor: number): string {
  const found = server.address();
  if (typeof found === "object" && found !== null) {
    return formatAddress({ tcp: { host: found.address, port: found.port } });
  }
  const path = pathOf(descriptor);
  return path === undefined ? `fd://${descriptor}` : formatAddress({ unix: path });
}

/**
 * Node does not know under which path others bound a socket. Source: proc(5), /proc/net/unix: the inode, and then the
 * path.
 */
function pathOf(descriptor: number): string | undefined {
  try {
    const { ino } = fstatSync(descriptor);
    const rows = readFileSync("/proc/net/unix", "utf8").split("\n");
    return rows.map((row) => /^(?:\S+ +){6}(\d+) (\/.*)$/.exec(row)).find((row) => row?.[1] === String(ino))?.[2];
  } catch (error) {
    if (isSystemError(error)) return undefined; // there is no /proc
    throw error;
  }
}
