/** Engines as processes that come and go, before a plugin whose driver writes down which store each call reached. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { type Connection, graphDriverProtocol } from "../../protocol/index.ts";
import { createClient, createHandler, createMemoryTransport, type Handler } from "../../transport/index.ts";
import type { GraphDriver } from "../driver.ts";
import type { OpenOptions } from "../driver-factory.ts";
import { createGraphDriverPlugin, type GraphDriverPluginOptions } from "./as-plugin.ts";
import type { Callers } from "./engine/callers.ts";
import type { ProcessIdentity } from "../../syscall/index.ts";
import type { InitStore } from "./init-record.ts";

export let folder: string;
/** What was done, "create a in /…/home". */
export let log: string[];
/** The uploads that a test holds end when it says so. */
export let held: { until: Promise<void> };
let running: Set<ProcessIdentity>;
let listener: number | undefined;
/** Above what the kernel gives to real ones, whose names would be told. Source: proc_sys_kernel(5), `pid_max`. */
let nextPid = 2 ** 22 + 1;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
  log = [];
  held = { until: Promise.resolve() };
  running = new Set();
  listener = undefined;
});
afterEach(() => rm(folder, { recursive: true }));

export async function homeOf(engine: string): Promise<string> {
  const home = join(folder, engine, "cleat");
  await mkdir(home, { recursive: true });
  return home;
}

async function openFake({ home }: OpenOptions): Promise<GraphDriver> {
  log.push(`open ${home}`);
  const note = (what: string) => async (id: string) => void log.push(`${what} ${id} in ${home}`);
  const driver: Partial<GraphDriver> = {
    name: "fake",
    capabilities: {
      reproducesExactDiffs: false,
      mounts: true,
      enforcesSize: false,
      protectsParents: true,
      maxDepth: 100,
    },
    create: note("create"),
    createReadWrite: note("createReadWrite"),
    remove: note("remove"),
    put: note("put"),
    get: async (id) => (await note("get")(id), `${home}/${id}`),
    exists: async (id) => (await note("exists")(id), true),
    metadata: async (id) => (await note("metadata")(id), {}),
    diff: async (id) => (await note("diff")(id), Readable.from([Buffer.from(id)])),
    changes: async (id) => (await note("changes")(id), []),
    diffSize: async (id) => (await note("diffSize")(id), 0),
    applyDiff: async (id, _parent, source) => {
      for await (const _ of source);
      await held.until;
      await note("applyDiff")(id);
      return 0;
    },
    status: async () => [["Home", home]],
    cleanup: async () => void log.push(`cleanup ${home}`),
    close: async () => void log.push(`close ${home}`),
  };
  return driver as GraphDriver;
}

/** A process that is not there any more keeps its number. */
export function startProcess(): ProcessIdentity {
  const started = { pid: nextPid++, started: 1, boot: "this one" };
  running.add(started);
  return started;
}

export function kill(process: ProcessIdentity): void {
  running.delete(process);
}

/** From here on whoever looks for the plugin finds this process. */
export function standBetween(process: ProcessIdentity | undefined): void {
  listener = process?.pid;
}

const processes = new WeakMap<Connection, ProcessIdentity>();

export function createFakeCallers(): Callers {
  return {
    processOf: (connection) => processes.get(connection),
    isRunning: (process) => [...running].some(({ pid, started }) => pid === process.pid && started === process.started),
    listenerOn: async () => listener,
    assertHomeSeen: () => {},
  };
}

export interface Plugin {
  /** A client on a connection of its own; of a process, or of one that nobody knows. */
  connect(process?: ProcessIdentity): ReturnType<typeof createClientOn>;
  close(): Promise<void>;
}

export function startPlugin(options: Partial<GraphDriverPluginOptions> = {}): Plugin {
  const plugin = createGraphDriverPlugin({ open: openFake, callers: createFakeCallers(), ...options });
  const handler = createHandler([plugin.service]);
  plugin.onListening("unix:///run/docker/plugins/cleat.sock");
  return {
    connect(process) {
      const connection: Connection = { descriptor: 7 };
      if (process !== undefined) processes.set(connection, process);
      return createClientOn((request) => handler({ ...request, connection }));
    },
    close: () => plugin.close(),
  };
}

const createClientOn = (handler: Handler) => createClient(graphDriverProtocol, createMemoryTransport(handler));

export const initOf = (Home: string) => ({ Home, Opts: [], UIDMaps: [], GIDMaps: [] });

export function createMemoryStore(): InitStore & { kept: unknown } {
  return {
    kept: undefined,
    async load() {
      return this.kept === undefined ? undefined : JSON.parse(JSON.stringify(this.kept));
    },
    async save(record) {
      this.kept = record;
    },
    async clear() {
      this.kept = undefined;
    },
  };
}

export const failing = (message: string) => () => {
  throw new CleatError("FAILED_PRECONDITION", message);
};
