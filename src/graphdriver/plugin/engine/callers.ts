import { once } from "node:events";
import { connect } from "node:net";
import { CleatError, isSystemError } from "../../../errors/index.ts";
import type { Connection } from "../../../protocol/index.ts";
import { descriptorOf } from "../../../transport/index.ts";
import { assertHomeSeen } from "./home-view.ts";
import { isRunning, peerProcess, type ProcessIdentity, readProcess } from "../../../syscall/index.ts";

/** What the kernel knows of those who call. */
export interface Callers {
  /**
   * Who is at the other end; `undefined` where the kernel does not tell (TCP, another PID namespace, a hidden `/proc`).
   * @throws CANCELLED when that process has ended: nobody waits for an answer.
   */
  processOf(connection: Connection): ProcessIdentity | undefined;
  isRunning(process: ProcessIdentity): boolean;
  /** The number of the process that listens on a unix socket now; `undefined` where nobody does. */
  listenerOn(path: string): Promise<number | undefined>;
  /** @throws FAILED_PRECONDITION when the process does not see in `home` what the driver makes or mounts there. */
  assertHomeSeen(process: ProcessIdentity, home: string, mounts: boolean): void;
}

export function createCallers(): Callers {
  const known = new WeakMap<Connection, ProcessIdentity | undefined>();
  return {
    processOf(connection) {
      if (!known.has(connection)) known.set(connection, identify(connection));
      return known.get(connection);
    },
    isRunning,
    listenerOn,
    assertHomeSeen,
  };
}

function identify({ descriptor }: Connection): ProcessIdentity | undefined {
  if (descriptor === undefined) throw callerIsGone();
  const pid = peerProcess(descriptor);
  if (pid === undefined) return undefined;
  const found = readProcess(pid);
  if (found === undefined && !exists(pid)) throw callerIsGone();
  return found;
}

function callerIsGone(): CleatError {
  return new CleatError("CANCELLED", "the process that called has ended");
}

/** Also of a process that `/proc` does not show to this user. Source: kill(2), signal 0. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !isSystemError(error, "ESRCH");
  }
}

async function listenerOn(path: string): Promise<number | undefined> {
  const socket = connect({ path });
  try {
    await once(socket, "connect");
    const descriptor = descriptorOf(socket);
    return descriptor === undefined ? undefined : peerProcess(descriptor);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  } finally {
    socket.destroy();
  }
}
