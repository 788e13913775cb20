/** Plugins for the command to find, which answer whatever a test says. */
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { Server } from "node:net";
import { dirname, join } from "node:path";
import { afterEach } from "vitest";
import { folder } from "./run.test.support.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

export const socketOf = (name: string) => join(folder, "docker/plugins", `${name}.sock`);
export const specOf = (file: string) => join(folder, ".config/docker/plugins", file);

/** Makes a server listen where the command looks for the socket of `name`. */
export async function listenAs(name: string, server: Server): Promise<void> {
  await mkdir(dirname(socketOf(name)), { recursive: true });
  await once(server.listen(socketOf(name)), "listening");
  closers.push(() => {
    if ("closeAllConnections" in server) (server.closeAllConnections as () => void)();
    server.close();
  });
}

/** A plugin that answers each path with an object; with 404 what is not there, and 500 where there is an `Err`. */
export async function startPlugin(name: string, answers: Record<string, object>): Promise<void> {
  const answer: RequestListener = (request, response) => {
    const found = answers[request.url ?? ""];
    request.resume().once("end", () => {
      response.statusCode = found === undefined ? 404 : "Err" in found ? 500 : 200;
      response.end(JSON.stringify(found ?? {}));
    });
  };
  await listenAs(name, createServer({ requireHostHeader: false }, answer));
}
