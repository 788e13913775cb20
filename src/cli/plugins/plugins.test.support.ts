/** Plugins for the command to find, which answer whatever a test says. */
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Server } from "node:net";
import { dirname, join } from "node:path";
import { afterEach } from "vitest";
import { folder } from "../run.test.support.ts";

const closers: (() => void)[] = [];
/** Nobody listens any more then. */
export function stopPlugins(): void {
  for (const close of closers.splice(0)) close();
}
afterEach(stopPlugins);

export const socketOf = (name: string) => join(folder, "docker/plugins", `${name}.sock`);
export const specOf = (file: string) => join(folder, ".config/docker/plugins", file);

/** Makes a server listen where the command looks for the socket of `name`. */
export async function listenAs(name: string, server: Server): Promise<void> {
  await mkdir(dirname(socketOf(name)), { recursive: true });
  await once(server.listen(socketOf(name)), "listening");
  closeAfterTest(server);
}

function closeAfterTest(server: Server): void {
  closers.push(() => {
    if ("closeAllConnections" in server) (server.closeAllConnections as () => void)();
    server.close();
  });
}

/** What a plugin answers to each path: 404 to one that is not there, and 500 where there is an `Err`. */
type Answers = Readonly<Record<string, object>>;

export async function startPlugin(name: string, answers: Answers): Promise<void> {
  await listenAs(name, createServer({ requireHostHeader: false }, answerFrom(answers)));
}

/** On a port of 127.0.0.1, told of by a `.json` file that trusts `ca` alone. */
export async function startTlsPlugin(name: string, answers: Answers, ca = "ca.pem"): Promise<void> {
  const pem = (file: string) => join(import.meta.dirname, "../../../test/fixtures/tls", file);
  const keys = { cert: await readFile(pem("server.pem")), key: await readFile(pem("server-key.pem")) };
  const server = createTlsServer(keys, answerFrom(answers));
  await once(server.listen(0, "127.0.0.1"), "listening");
  closeAfterTest(server);
  const { port } = server.address() as { port: number };
  await mkdir(dirname(specOf(name)), { recursive: true });
  const spec = { Name: name, Addr: `https://127.0.0.1:${port}`, TLSConfig: { CAFile: pem(ca) } };
  await writeFile(specOf(`${name}.json`), JSON.stringify(spec));
}

function answerFrom(answers: Answers): RequestListener {
  return (request, response) => {
    const found = answers[request.url ?? ""];
    request.resume().once("end", () => {
      response.statusCode = found === undefined ? 404 : "Err" in found ? 500 : 200;
      response.end(JSON.stringify(found ?? {}));
    });
  };
}
