import { CleatError, type ErrorCode } from "../../errors/index.ts";

/** A peer ended a call with a status that is not success: `code` and `remoteMessage` are the peer's own. */
export class GrpcError extends CleatError {
  override readonly name = "GrpcError";
  /** The whole path, "/containerd.services.snapshots.v1.Snapshots/Stat". */
  readonly method: string;
  readonly remoteMessage: string;

  constructor(code: ErrorCode, remoteMessage: string, method: string, address: string) {
    super(code, `${method} on ${address}: ${remoteMessage}`);
    this.method = method;
    this.remoteMessage = remoteMessage;
  }
}
