import { CleatError } from "../../errors/index.ts";
import type { GrpcCall } from "../../grpc/index.ts";
import {
  describeProcess,
  isRunning,
  isSameProcess,
  peerProcess,
  type ProcessIdentity,
  readProcess,
} from "../../syscall/index.ts";

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
  assert(call: Caller): void;
}

type Caller = Pick<GrpcCall, "connection" | "metadata">;

export function createOneEngine(): OneEngine {
  let engine: ProcessIdentity | undefined;
  /** On which there is nothing to ask any more: the engine's own, for a restarted one comes on another. */
  const known = new WeakSet<object>();
  return {
    assert(call) {
      const { connection } = call;
      if (connection === undefined || known.has(connection) || !mayCollect(call)) return;
      const caller = processBehind(connection);
      if (caller === undefined) return;
      if (engine !== undefined && !isSameProcess(engine, caller) && isRunning(engine)) throw taken(engine, caller);
      engine = caller;
      known.add(connection);
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
