/** Folders of plugins in a folder of their own for each test, and what may stand in them. */
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { Locations } from "../../transport/index.ts";

export let root: string;
/** `run` holds sockets; `etc` and `lib` hold specs, `etc` the better ones. All three are there. */
export let locations: Locations;
const servers = new Set<Server>();
const forbidden: string[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cleat-"));
  await chmod(root, 0o755);
  locations = { sockets: [at("run")], specs: [at("etc"), at("lib")] };
  for (const folder of ["run", "etc", "lib"]) await mkdir(at(folder));
});

afterEach(async () => {
  for (const path of forbidden.splice(0)) await chmod(path, 0o700);
  for (const server of servers) await close(server);
  await rm(root, { recursive: true, force: true });
});

export const at = (...parts: string[]) => join(root, ...parts);

/** Makes a socket, its folder too, on which somebody listens. */
export async function listen(path: string): Promise<Server> {
  await mkdir(dirname(path), { recursive: true });
  const server = createServer().listen(path);
  await once(server, "listening");
  servers.add(server);
  return server;
}

/** Removes the socket. */
export async function close(server: Server): Promise<void> {
  if (!servers.delete(server)) return;
  server.close();
  await once(server, "close");
}

export async function write(path: string, content: string | Uint8Array): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

/** Takes all rights away, until the test ends. */
export async function forbid(path: string): Promise<void> {
  forbidden.push(path);
  await chmod(path, 0);
}

/** Runs `act` as a user who is nobody in particular: to root nothing is forbidden. */
export async function asOrdinaryUser<T>(act: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return await act();
  process.seteuid?.(65_534);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}
