import { CleatError } from "../errors/index.ts";
import { logDriverProtocol } from "../protocol/index.ts";
import {
  activate,
  assertImplements,
  type ClientOptions,
  createClient,
  maxTimerMs,
  type Transport,
} from "../transport/index.ts";
import type { LogDriver, LogEntry } from "./driver.ts";
import { createFrameReader, defaultMaxFrameBytes } from "./frame-reader.ts";
import { openRemoteLog } from "./remote-log.ts";
import { toWireInfo, toWireReadConfig } from "./wire-shapes.ts";

export interface LogDriverFromPluginOptions extends Omit<ClientOptions, "plugin"> {
  /** The plugin's name, for errors and as the driver's name. */
  readonly name: string;
  /** Where the pipes are made: a folder that the plugin sees under the same path. Docker's is `/run/docker/logging`. */
  readonly folder: string;
  /** Longer messages are taken for damage; default 1 MiB. */
  readonly maxFrameBytes?: number;
  /** Gives up activating the plugin. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The log driver behind a transport, which has `readLogs` where the plugin says so. `close` sends nothing: the driver
 * is the plugin's. The transport stays its maker's to close.
 *
 * @throws FAILED_PRECONDITION when what answers is not a plugin, UNIMPLEMENTED when it is not a log driver.
 * @throws UNAVAILABLE or DEADLINE_EXCEEDED when nobody answers.
 */
export async function createLogDriverFromPlugin(
  transport: Transport,
  options: LogDriverFromPluginOptions,
): Promise<LogDriver> {
  const { name, folder, signal, timeoutMs, maxFrameBytes = defaultMaxFrameBytes } = options;
  assertImplements(name, await activate(transport, name, { signal, timeoutMs }), logDriverProtocol);
  const client = createClient(logDriverProtocol, transport, { ...options, plugin: name });
  const canRead = await client.capabilities({}, { signal }).then(
    ({ Cap }) => Cap.ReadLogs,
    (error: unknown) => {
      if (error instanceof CleatError && error.code === "UNIMPLEMENTED") return false;
      throw error;
    },
  );
  return {
    name,
    openLog: (container, call) => openRemoteLog(client, folder, container, call),
    ...(canRead && {
      async *readLogs(container, asked, call): AsyncGenerator<LogEntry> {
        const request = { Info: toWireInfo(container), Config: toWireReadConfig(asked) };
        const frames = createFrameReader(maxFrameBytes);
        const patience = asked.follow === true ? { timeoutMs: maxTimerMs } : {}; // a container may be silent for days
        const stream = await client.readLogs(request, { ...patience, ...call });
        for await (const chunk of stream) yield* frames.push(chunk as Buffer).map(withoutBreak);
        frames.end();
        if (frames.skippedBytes === 0) return;
        const problem = `${frames.skippedBytes} bytes of what it answered are no log entry`;
        throw new CleatError("DATA_LOSS", `plugin "${name}": ${problem}`);
      },
    }),
    async close() {},
  };
}

function withoutBreak(entry: LogEntry): LogEntry {
  return entry.line.at(-1) === 0x0a ? { ...entry, line: entry.line.subarray(0, -1) } : entry;
}
