import { once } from "node:events";
import type { Server } from "node:net";
import { CleatError } from "../errors/index.ts";

/** systemd passes its sockets from this descriptor on. Source: sd_listen_fds(3). */
const firstInherited = 3;

/**
 * How many sockets systemd has passed to this process, from descriptor 3 on; 0 where there are none, or they are meant for
 * another process. Source: sd_listen_fds(3).
 */
export function countInheritedSockets(environment: NodeJS.ProcessEnv = process.env, pid: number = process.pid): number {
  const { LISTEN_PID: forPid, LISTEN_FDS: count } = environment;
  if (forPid === undefined || count === undefined || forPid !== String(pid)) return 0;
  return /^\d{1,4}$/.test(count) ? Number(count) : 0;
}

/** What a listener left in the file system, and how to take it away again. */
export interface Listening {
  readonly address: string;
  remove(): Promise<void>;
}

/**
 * Makes `server` listen on a socket that this process was started with. The socket stays its maker's: calls that come while
 * nobody serves wait in it, so it is not removed.
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
  const found = server.address();
  const address = typeof found === "string" && found !== "" ? `unix://${found}` : `fd://${descriptor}`;
  return { address, remove: async () => {} };
}
