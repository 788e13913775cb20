import { isSystemError, TransportError } from "../../errors/index.ts";
import { explainTlsFailure, type Handshake } from "../tls/tls-failure.ts";

/** What is known of a call whose request failed. */
export interface FailedRequest {
  readonly address: string;
  /** Its bytes may have reached the peer. */
  readonly connected: boolean;
  /** Its connection had carried a call before. */
  readonly reusedSocket: boolean;
  /** Of `https` addresses, where there is a connection. */
  readonly handshake: Handshake | undefined;
}

/** What a request is destroyed with whose caller has given it up. */
export class AbortError extends Error {
  override readonly name = "AbortError";
}

/** Of a call that its caller has given up, whatever its end looks like to Node. */
export function toGivenUp(address: string, reachedPeer: boolean, cause: Error): TransportError {
  return new TransportError("CANCELLED", `call to ${address} was given up`, { reachedPeer, cause });
}

/** Node's failure of an HTTP request as ours; the address begins the message, or nearly. */
export function toTransportError(error: Error, request: FailedRequest): TransportError {
  const { address, connected, handshake } = request;
  const failure = { reachedPeer: connected, cause: error };
  if (error instanceof AbortError) return toGivenUp(address, connected, error);
  const distrust = handshake && explainTlsFailure(error, handshake);
  if (distrust !== undefined) return new TransportError("UNAUTHENTICATED", `${address} ${distrust}`, failure);
  if (isAnswerInTls(error)) {
    const message = `${address} answers in TLS, but is called in plaintext; an address of TLS begins with https://`;
    return new TransportError("FAILED_PRECONDITION", message, failure);
  }
  if (connected) {
    const message = `connection to ${address} broke: ${reasonOf(error)}${suspicionOf(error, request)}`;
    return new TransportError("UNAVAILABLE", message, failure);
  }
  if (handshake !== undefined && hangsUp(error)) {
    return new TransportError("UNAVAILABLE", `${address} hung up in the TLS handshake`, failure);
  }
  if (isSystemError(error, "EACCES", "EPERM")) {
    const message = `${address} may not be connected to by this user: ${error.message}`;
    return new TransportError("PERMISSION_DENIED", message, failure);
  }
  return new TransportError("UNAVAILABLE", `nobody answers at ${address}: ${reasonOf(error)}`, failure);
}

/** An alert, or a handshake, of TLS where HTTP was expected. Source: RFC 8446 section 5.1. */
function isAnswerInTls(error: Error): boolean {
  const bytes = "rawPacket" in error ? error.rawPacket : undefined;
  return bytes instanceof Uint8Array && (bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 3;
}

function hangsUp(error: NodeJS.ErrnoException): boolean {
  return error.code === "ECONNRESET" && error.syscall !== "connect";
}

/** What a server that hangs up on the first call without a word may mean by it. */
function suspicionOf(error: NodeJS.ErrnoException, { address, reusedSocket, handshake }: FailedRequest): string {
  if (reusedSocket || (error.code !== "ECONNRESET" && error.code !== "EPIPE")) return "";
  if (handshake !== undefined) {
    return handshake.showsCertificate
      ? "; it may refuse the client's certificate"
      : "; it may want a client's certificate";
  }
  return address.startsWith("tcp:") ? "; it may speak TLS, whose addresses begin with https://" : "";
}

/** Node tries every address of a host, and leaves the message empty when all fail. */
function reasonOf(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join("; ");
}
