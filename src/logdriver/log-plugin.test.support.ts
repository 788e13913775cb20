/**
 * A log driver that keeps everything in memory, behind the protocol and in front of it again, on pipes of a scratch
 * folder.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logDriverProtocol, pluginProtocol } from "../protocol/index.ts";
import { close, mknodat, O_DIRECTORY, O_RDONLY, openPath, S_IFIFO } from "../syscall/index.ts";
import { createHandler, createMemoryTransport, implement, type Logger } from "../transport/index.ts";
import type { LogDriverPluginOptions } from "./as-plugin.ts";
import { openKeptLogs } from "./kept-logs.ts";
import {
  type ContainerLog,
  createLogDriverFromPlugin,
  createLogDriverPlugin,
  createLogFeed,
  type LogDriver,
  type LogEntry,
  type LoggedContainer,
  selectEntries,
} from "./index.ts";

export const containerOf = (id: string): LoggedContainer => ({
  id,
  name: `/${id}`,
  options: { color: "red" },
  entrypoint: "sh",
  args: ["-c", "echo"],
  imageId: "sha256:0",
  imageName: "small",
  createdAt: new Date("2024-02-29T23:59:59.123Z"),
  env: ["SECRET=x"],
  labels: { a: "b" },
  daemonName: "docker",
});

export const entryOf = (text: string, timeNs = 0n): LogEntry => ({ source: "stdout", timeNs, line: Buffer.from(text) });
export const textOf = ({ line }: LogEntry) => Buffer.from(line).toString();

/** `kept` is by container; `losses` is what each log was told of. */
export function createMemoryLogs(overrides: Partial<LogDriver> = {}) {
  const kept = new Map<string, LogEntry[]>();
  const feeds = new Map<string, ReturnType<typeof createLogFeed>>();
  const opened: LoggedContainer[] = [];
  const closed: string[] = [];
  const losses: number[] = [];
  const driver: LogDriver = {
    name: "memory",
    async openLog(container): Promise<ContainerLog> {
      opened.push(container);
      const feed = createLogFeed();
      feeds.set(container.id, feed);
      const entries = kept.get(container.id) ?? [];
      kept.set(container.id, entries);
      return {
        async write(added, { dropped }) {
          losses.push(dropped);
          entries.push(...added);
          feed.publish(added);
        },
        async close() {
          closed.push(container.id);
          feed.end();
        },
      };
    },
    async *readLogs({ id }, options, call) {
      const live = options.follow === true ? feeds.get(id)?.follow(call?.signal) : undefined;
      yield* selectEntries([...(kept.get(id) ?? [])], options);
      if (live !== undefined) yield* live;
    },
    close: async () => void closed.push("driver"),
    ...overrides,
  };
  return { driver, kept, opened, closed, losses };
}

/** What a plugin keeps, written and read while none runs. */
export async function keepLogs(folder: string, logs: readonly { readonly file: string; readonly id: string }[]) {
  const kept = await openKeptLogs(folder);
  for (const { file, id } of logs) await kept.put({ file, info: infoOf(id), unfinished: new Uint8Array(0) });
  await kept.close();
}

export async function keptFiles(folder: string): Promise<string[]> {
  const kept = await openKeptLogs(folder);
  await kept.close();
  return kept.logs.map(({ file }) => file);
}

export const infoOf = (id: string) =>
  logDriverProtocol.methods.startLogging.request.decode({ File: "", Info: { ContainerID: id } }).Info;

export function createRecorder() {
  const lines: Record<string, unknown>[] = [];
  const record = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields });
  const logger: Logger = { debug: record("debug"), info: record("info"), warn: record("warn"), error: record("error") };
  return { lines, logger };
}

export async function createPipeFolder() {
  const path = await mkdtemp(join(tmpdir(), "cleat-logs-"));
  return {
    path,
    /** The path of a new pipe in it. */
    makePipe(name: string): string {
      const directory = openPath(path, O_RDONLY | O_DIRECTORY);
      mknodat(directory, name, S_IFIFO | 0o600);
      close(directory);
      return join(path, name);
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

/** `remote` is an engine's side of `plugin`. */
export async function connectLogs(options: LogDriverPluginOptions, folder: string) {
  const plugin = createLogDriverPlugin(options);
  const activation = implement(pluginProtocol, { activate: async () => ({ Implements: ["LogDriver"] }) });
  const transport = createMemoryTransport(
    createHandler([activation, plugin.service], { logger: createRecorder().logger }),
  );
  const remote = await createLogDriverFromPlugin(transport, { name: "p", folder });
  return { plugin, remote, transport };
}

export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
