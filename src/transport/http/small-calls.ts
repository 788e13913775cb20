import { connect, type Socket } from "node:net";
import { TransportError } from "../../errors/index.ts";
import { isGivenUp, whenGivenUp } from "../wire/giving-up.ts";
import type { WireReply, WireRequest } from "../wire/wire.ts";
import { AbortError, toGivenUp, toTransportError } from "./http-failure.ts";
import { toLatin1 } from "./latin1.ts";
import { ReplyReader } from "./reply-reader.ts";

/** Nearly every call: a message, answered with one that is wanted whole. */
export type SmallCall = WireRequest & { readonly body: Uint8Array; readonly maxReplyBytes: number };

export function isSmallCall(wire: WireRequest): wire is SmallCall {
  return wire.body instanceof Uint8Array && wire.maxReplyBytes !== undefined && !unwritable.test(wire.path);
}

/** In a path it would begin another header, or another call: Node's client refuses it, and is left to do so. */
const unwritable = /[^\x21-\xff]/;

/**
 * Small calls to a unix socket, each in one write, over connections that are kept: with Node's own client, which makes
 * a dozen objects for each, a call takes twice the processor's time.
 */
export interface SmallCalls {
  /** `head` are a request's line and headers. @throws TransportError */
  send(wire: SmallCall, head: string): Promise<WireReply>;
  /** Drops all connections, and fails what is under way. */
  close(): void;
}

export interface SmallCallsOptions {
  readonly socketPath: string;
  /** For messages. */
  readonly address: string;
  /** Is told of each connection. */
  follow(socket: Socket): void;
}

/** As many as Node's agent is told to keep. */
const maxFree = 32;

/** A call that is sent so shortly before the peer hangs up may meet its end. As much as Node's agent leaves. */
const hangUpMarginMs = 1_000;

export function createSmallCalls({ socketPath, address, follow }: SmallCallsOptions): SmallCalls {
  const open = new Set<CallConnection>();
  const free: CallConnection[] = [];
  const whenFree = (connection: CallConnection): void => {
    if (free.length < maxFree) free.push(connection);
    else connection.destroy();
  };
  const forget = (connection: CallConnection): void => {
    open.delete(connection);
    const at = free.indexOf(connection);
    if (at >= 0) free.splice(at, 1);
  };

  function dial(): CallConnection {
    const socket = connect({ path: socketPath });
    follow(socket);
    const connection = new CallConnection(socket, { address, whenFree, forget });
    open.add(connection);
    return connection;
  }

  return {
    send(wire, head) {
      if (isGivenUp(wire)) return Promise.reject(toGivenUp(address, false, new AbortError()));
      return new Promise((resolve, reject) => {
        const text = head + toLatin1(wire.body);
        const outcome = { resolve, reject };
        for (let kept = free.pop(); kept !== undefined; kept = free.pop()) {
          if (kept.carryAgain(wire, text, outcome)) return;
        }
        dial().carry(wire, text, outcome);
      });
    },
    close() {
      for (const connection of open) connection.destroy();
    },
  };
}

interface Outcome {
  resolve(reply: WireReply): void;
  reject(error: TransportError): void;
}

interface ConnectionOwner {
  readonly address: string;
  whenFree(connection: CallConnection): void;
  /** Nobody calls over it any more. May be called twice. */
  forget(connection: CallConnection): void;
}

/** Carries one call at a time. */
class CallConnection {
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  #isConnected = false;
  #isReused = false;
  /** When the peer may hang up, or nearly, as `performance.now()` has it. */
  #keptUntilMs = Infinity;
  #failure: Error | undefined;
  /** Of the call that is under way. */
  #reader: ReplyReader | undefined;
  #outcome: Outcome | undefined;
  #forgetGivingUp = (): void => {};

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    socket.once("connect", () => (this.#isConnected = true));
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
    socket.once("end", () => this.#end());
    socket.on("error", (error) => (this.#failure ??= error));
    socket.once("close", () => this.#closed());
  }

  /**
   * Returns false, and is of no use any more, where the peer has hung up, or soon will: no byte of the call went out. A
   * peer that hangs up later may have read the call, which is not sent again: as `net/http` of Go treats a POST.
   */
  carryAgain(wire: SmallCall, text: string, outcome: Outcome): boolean {
    const socket = this.#socket;
    if (socket.writable && performance.now() < this.#keptUntilMs) {
      this.carry(wire, text, outcome);
      // Of a unix socket all of a write fails, at once, when nobody is there to read it.
      if (socket.errored === null) return true;
      this.#settle();
    }
    this.destroy();
    return false;
  }

  carry(wire: SmallCall, text: string, outcome: Outcome): void {
    const { maxReplyBytes, maxFailureBytes = maxReplyBytes } = wire;
    this.#reader = new ReplyReader({ maxReplyBytes, maxFailureBytes });
    this.#outcome = outcome;
    this.#forgetGivingUp = whenGivenUp(wire, () => this.#fail(new AbortError()));
    this.#socket.ref();
    this.#socket.write(text, "latin1");
  }

  destroy(): void {
    this.#owner.forget(this);
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    const reader = this.#reader;
    if (reader === undefined) return this.destroy(); // an answer to nothing
    try {
      reader.take(bytes);
    } catch (error) {
      return this.#fail(Object.assign(error as Error, { rawPacket: bytes }));
    }
    if (reader.isWhole) this.#answer(reader);
  }

  /** The peer sends no more. */
  #end(): void {
    const reader = this.#reader;
    if (reader === undefined) return this.destroy();
    reader.end();
    if (reader.isWhole) this.#answer(reader);
    else this.#fail(new Error("its connection was closed"));
  }

  #answer(reader: ReplyReader): void {
    const { resolve } = this.#settle();
    // Some peers answer before they have read everything; what they do not want is not sent.
    if (reader.isReusable && this.#socket.writableLength === 0 && !this.#socket.destroyed) {
      this.#isReused = true;
      this.#keptUntilMs = performance.now() + reader.keptMs - hangUpMarginMs;
      this.#socket.unref(); // an idle connection keeps no process alive
      this.#owner.whenFree(this);
    } else this.destroy();
    resolve({ status: reader.status, body: reader.body });
  }

  /** The call is no longer under way. */
  #settle(): Outcome {
    const outcome = this.#outcome as Outcome;
    this.#forgetGivingUp();
    this.#reader = undefined;
    this.#outcome = undefined;
    return outcome;
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.destroy();
  }

  #closed(): void {
    this.#owner.forget(this);
    const reader = this.#reader;
    if (reader !== undefined) this.#settle().reject(this.#toError(reader));
  }

  #toError({ status }: ReplyReader): TransportError {
    const { address } = this.#owner;
    const failure = this.#failure ?? new Error("its connection was closed");
    if (status !== 0 && !(failure instanceof AbortError)) {
      const message = `${address} broke off in the middle of its answer: ${String(failure)}`;
      return new TransportError("UNAVAILABLE", message, { reachedPeer: true, cause: failure });
    }
    const [connected, reusedSocket] = [this.#isConnected, this.#isReused];
    return toTransportError(failure, { address, connected, reusedSocket, handshake: undefined });
  }
}
