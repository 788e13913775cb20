import { CleatError, type CleatErrorOptions } from "./cleat-error.ts";
import type { ErrorCode } from "./codes.ts";

export interface TransportErrorOptions extends CleatErrorOptions {
  /** False only when it is certain that no byte of the call reached the peer, so that a second try is safe. */
  readonly reachedPeer: boolean;
}

/**
 * A call did not get its answer: nobody to connect to (`UNAVAILABLE`; `PERMISSION_DENIED` where the socket may not be
 * used), the connection broke (`UNAVAILABLE`), the peer did not prove who it is (`UNAUTHENTICATED`) or speaks TLS where
 * it is called in plaintext (`FAILED_PRECONDITION`), the answer is late (`DEADLINE_EXCEEDED`) or over a documented cap
 * (`RESOURCE_EXHAUSTED`), or the caller gave up (`CANCELLED`).
 */
export class TransportError extends CleatError {
  override readonly name = "TransportError";
  readonly reachedPeer: boolean;

  constructor(code: ErrorCode, message: string, options: TransportErrorOptions) {
    super(code, message, options);
    this.reachedPeer = options.reachedPeer;
  }
}
