import { execFile } from "node:child_process";
import type { Server } from "node:net";
import { promisify } from "node:util";
import { findInheritedSocket, type Listening, listenOnInherited, type Logger } from "../../transport/index.ts";

export interface SystemdListen {
  /**
   * Take the socket that systemd has made and passed on; a text is its name (`FileDescriptorName=` of the unit), where
   * there are several. Calls that come while nobody serves wait in it.
   */
  readonly systemd: true | string;
}

/** @throws FAILED_PRECONDITION when no such socket was passed, or it does not listen. */
export async function listenOnSystemd(server: Server, { systemd }: SystemdListen): Promise<Listening> {
  return await listenOnInherited(server, findInheritedSocket(systemd === true ? undefined : systemd));
}

const execute = promisify(execFile);

/**
 * A manager that does not answer is not waited for any longer, in milliseconds; its own patience is a minute and more.
 */
const timeoutMs = 5_000;

/**
 * Tells the service manager that started this process, if one did, what has become of it: `NOTIFY_SOCKET` is a socket
 * of datagrams, which Node cannot send. So systemd's own program does, which is there wherever such a manager is, and
 * takes some 10 ms. Never rejects: who is not told says so in time, and this warning explains it.
 * Source: sd_notify(3), systemd-notify(1), which as root speaks for the process that calls it; others need
 * `NotifyAccess=all`.
 */
export async function notifySystemd(state: "READY=1" | "STOPPING=1", logger: Logger): Promise<void> {
  if (!process.env["NOTIFY_SOCKET"]) return;
  try {
    await execute("systemd-notify", [state], { timeout: timeoutMs });
  } catch (error) {
    logger.warn({ err: error, state }, "service manager could not be told");
  }
}
