import { randomUUID } from "node:crypto";
import { constants, open } from "node:fs";
import { rm } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { promisify } from "node:util";
import type { CallOptions, Client, logDriverProtocol } from "../protocol/index.ts";
import { close, mknodat, O_DIRECTORY, O_RDONLY, openPath, S_IFIFO } from "../syscall/index.ts";
import type { ContainerLog, LoggedContainer } from "./driver.ts";
import { encodeFrame } from "./entry-codec.ts";
import { toWireInfo } from "./wire-shapes.ts";

const openFile = promisify(open);

/**
 * The writing end, as an engine has it: a pipe in `folder`, held open for both, so that a plugin that dies breaks
 * nothing. A `write` resolves when the pipe has taken it: it waits while the plugin does not read.
 */
export async function openRemoteLog(
  client: Client<typeof logDriverProtocol>,
  folder: string,
  container: LoggedContainer,
  call: CallOptions | undefined,
): Promise<ContainerLog> {
  const file = join(folder, randomUUID());
  makePipe(folder, file);
  const socket = await openWriter(file);
  try {
    await client.startLogging({ File: file, Info: toWireInfo(container) }, call);
  } catch (error) {
    socket.destroy();
    await rm(file, { force: true });
    throw error;
  }
  const shutDown = async () => {
    try {
      await client.stopLogging({ File: file });
    } finally {
      socket.destroy();
      await finished(socket, { readable: false, writable: false }).catch(() => {});
      await rm(file, { force: true });
    }
  };
  let closing: Promise<void> | undefined;
  return {
    async write(entries) {
      const bytes = Buffer.concat(entries.map(encodeFrame));
      await new Promise<void>((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      });
    },
    close: () => (closing ??= shutDown()),
  };
}

function makePipe(folder: string, file: string): void {
  const descriptor = openPath(folder, O_RDONLY | O_DIRECTORY);
  try {
    mknodat(descriptor, file.slice(folder.length).replace(/^\/+/, ""), S_IFIFO | 0o600);
  } finally {
    close(descriptor);
  }
}

async function openWriter(file: string): Promise<Socket> {
  const fd = await openFile(file, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: false, writable: true });
  socket.on("error", () => {}); // each write tells its own
  return socket;
}
