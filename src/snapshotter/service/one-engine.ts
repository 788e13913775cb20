import { readFile } from "node:fs/promises";
import { z } from "zod";
import { CleatError, isSystemError } from "../../errors/index.ts";
import { replaceFile } from "../../files/index.ts";
import type { GrpcCall } from "../../grpc/index.ts";
import {
  describeProcess,
  isProcessIdentity,
  isRunning,
  isSameProcess,
  peerProcess,
  type ProcessIdentity,
  readProcess,
} from "../../syscall/index.ts";
import { type Logger, silentLogger } from "../../transport/index.ts";
import { parseVersioned } from "../../state/kit.ts";

/**
 * Keeps a snapshotter to one containerd: the collector of each removes what only the other knows. Nothing in the
 * protocol tells them apart, so the kernel is asked which process calls. Programs with such a collector (containerd,
 * buildkitd, k3s) are written in Go, and say so: a client that does not, as an operator's or a test's, keeps nobody out
 * and is not kept out.
 */
export interface OneEngine {
  /**
   * To be called before something is changed: who does that first is the one, until that process has ended.
   * @throws FAILED_PRECONDITION for another meanwhile.
   */
  assert(call: Caller): Promise<void>;
}

export interface OneEngineOptions {
  /** Where it is kept; without it, it is known as long as this process runs. */
  readonly file?: string | undefined;
  readonly logger?: Logger | undefined;
}

/**
 * A process, and no more than that: a containerd that was updated, or has moved, is another one, and the one that it
 * was has ended. So this keeps nobody out who has the snapshots by right.
 */
const storedEngine = z.strictObject({ version: z.literal(1), engine: z.custom<ProcessIdentity>(isProcessIdentity) });

type Caller = Pick<GrpcCall, "connection" | "metadata">;

export function createOneEngine({ file, logger = silentLogger }: OneEngineOptions = {}): OneEngine {
  let engine: ProcessIdentity | undefined;
  let reading: Promise<void> | undefined;
  /** On which there is nothing to ask any more: the engine's own, for a restarted one comes on another. */
  const known = new WeakSet<object>();
  const read = async (path: string) => {
    try {
      engine = parseVersioned(await readFile(path, "utf8"), storedEngine, path).engine;
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return;
      logger.warn({ err: error, file: path }, "which engine had the snapshots cannot be read; the next is taken");
    }
  };
  const keep = async (path: string, kept: ProcessIdentity) => {
    const text = `${JSON.stringify({ version: 1, engine: kept } satisfies z.input<typeof storedEngine>)}\n`;
    try {
      // No process outlives a power loss.
      await replaceFile(path, (staged) => staged.writeFile(text), { mode: 0o600, durable: false });
    } catch (error) {
      logger.warn(
        { err: error, file: path },
        "which engine has the snapshots is not kept until Cleat is started again",
      );
    }
  };

  return {
    async assert(call) {
      const { connection } = call;
      if (connection === undefined || known.has(connection) || !mayCollect(call)) return;
      const caller = processBehind(connection);
      if (caller === undefined) return;
      if (file !== undefined) await (reading ??= read(file));
      if (engine !== undefined && !isSameProcess(engine, caller) && isRunning(engine)) throw taken(engine, caller);
      known.add(connection);
      if (engine !== undefined && isSameProcess(engine, caller)) return;
      engine = caller;
      if (file !== undefined) await keep(file, caller);
    },
  };
}

/** Source: grpc-go v1.50.1 `internal/transport/http2_client.go`, which ends each user agent so. */
function mayCollect({ metadata }: Caller): boolean {
  return metadata["user-agent"]?.includes("grpc-go/") === true;
}

/** Nothing where the kernel does not tell: of TCP, of another PID namespace, of who has ended. */
function processBehind({ descriptor }: NonNullable<GrpcCall["connection"]>): ProcessIdentity | undefined {
  const pid = descriptor === undefined ? undefined : peerProcess(descriptor);
  return pid === undefined ? undefined : readProcess(pid);
}

function taken(engine: ProcessIdentity, caller: ProcessIdentity): CleatError {
  const message =
    `these are the snapshots of ${describeProcess(engine)}, all of which the collector of ${describeProcess(caller)} ` +
    "would remove: give each a root and a socket of its own";
  return new CleatError("FAILED_PRECONDITION", message);
}
