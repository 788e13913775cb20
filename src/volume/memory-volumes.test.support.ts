/** A complete volume driver that keeps its volumes in memory, and a log of what was asked of it. */
import { CleatError } from "../errors/index.ts";
import { pluginProtocol, volumeDriverProtocol } from "../protocol/index.ts";
import {
  createClient,
  createHandler,
  createMemoryTransport,
  implement,
  type Logger,
  type Transport,
} from "../transport/index.ts";
import { createVolumeDriverFromPlugin, createVolumeDriverPlugin, type VolumeDriver } from "./index.ts";

interface MemoryVolume {
  readonly options: Readonly<Record<string, string>>;
  readonly holders: Set<string>;
}

export const createdAt = new Date("2024-02-29T23:59:59.123Z");

/** Volumes whose mount points are `/volumes/NAME`, while somebody holds them. */
export function createMemoryVolumes(overrides: Partial<VolumeDriver> = {}) {
  const volumes = new Map<string, MemoryVolume>();
  const signals: (AbortSignal | undefined)[] = [];
  const find = (name: string) => {
    const found = volumes.get(name);
    if (found === undefined) throw new CleatError("NOT_FOUND", `volume "${name}" does not exist`);
    return found;
  };
  const placeOf = (name: string) => (find(name).holders.size > 0 ? `/volumes/${name}` : undefined);
  const describe = (name: string) => ({
    name,
    mountpoint: placeOf(name),
    createdAt,
    status: { Holders: [...find(name).holders], Options: find(name).options },
  });
  const driver: VolumeDriver = {
    name: "memory",
    capabilities: async (call) => (signals.push(call?.signal), { scope: "global" }),
    async create(name, { options = {} } = {}, call) {
      signals.push(call?.signal);
      const there = volumes.get(name);
      if (there === undefined) volumes.set(name, { options, holders: new Set() });
      else if (JSON.stringify(there.options) !== JSON.stringify(options)) {
        throw new CleatError("ALREADY_EXISTS", `volume "${name}" exists with other options`);
      }
    },
    list: async (call) => (signals.push(call?.signal), [...volumes.keys()].map(describe)),
    get: async (name, call) => (signals.push(call?.signal), describe(name)),
    async remove(name, call) {
      signals.push(call?.signal);
      if (find(name).holders.size > 0) throw new CleatError("FAILED_PRECONDITION", `volume "${name}" is held`);
      volumes.delete(name);
    },
    path: async (name, call) => (signals.push(call?.signal), placeOf(name)),
    async mount(name, id, call) {
      signals.push(call?.signal);
      find(name).holders.add(id);
      return `/volumes/${name}`;
    },
    async unmount(name, id, call) {
      signals.push(call?.signal);
      find(name).holders.delete(id);
    },
    async close() {},
    ...overrides,
  };
  return { driver, signals };
}

/** Behind the protocol and in front of it again. */
export async function connect(driver: VolumeDriver, logger?: Logger) {
  const plugin = createVolumeDriverPlugin({ driver, ...(logger !== undefined && { logger }) });
  const activation = implement(pluginProtocol, { activate: async () => ({ Implements: ["VolumeDriver"] }) });
  const transport = createMemoryTransport(createHandler([activation, plugin.service]));
  const remote = await createVolumeDriverFromPlugin(transport, { name: "p", ...(logger !== undefined && { logger }) });
  return { plugin, remote, client: createClient(volumeDriverProtocol, transport) };
}

export type Answers = Record<string, [status: number, body: string] | undefined>;

/** A plugin that Cleat did not write: what it answers to each path. `asked` counts. */
export function answering(answers: Answers) {
  const asked: string[] = [];
  const transport: Transport = {
    address: "test:",
    async send({ path }) {
      asked.push(path);
      const [status, body] = answers[path] ?? [404, "404 page not found\n"];
      return { status, body: Buffer.from(body) };
    },
    async close() {},
  };
  return { asked, transport };
}

export const manifest: Answers = { "/Plugin.Activate": [200, '{"Implements":["VolumeDriver"]}'] };

/** The driver of such a plugin, named "old", and what was asked and logged. */
export async function openAnswering(answers: Answers) {
  const { lines, logger } = createRecorder();
  const { asked, transport } = answering({ ...manifest, ...answers });
  const driver = await createVolumeDriverFromPlugin(transport, { name: "old", logger });
  return { driver, asked, lines };
}

export function createRecorder() {
  const lines: object[] = [];
  const record = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields });
  const logger: Logger = { debug: record("debug"), info: record("info"), warn: record("warn"), error: record("error") };
  return { lines, logger };
}

export function withResolvers<T>() {
  let resolve!: (value: T | PromiseLike<T>) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
