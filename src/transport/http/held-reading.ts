import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/**
 * What comes from a request's socket while its body is read, in step with whoever reads that: nothing is read from the
 * descriptor while it is held. Node has no public name for any of this; where a release lacks a part, there is no
 * `HeldReading`. Source: Node v20 and v24 `lib/_http_server.js` (`socketOnData`, `unconsume`), `lib/net.js`,
 * `src/node_http_parser.cc` (`GetCurrentBuffer`).
 */
export interface HeldReading {
  /** Of the socket; `undefined` once it is closed. */
  descriptor(): number | undefined;
  hold(): void;
  /** Reads on. */
  letGo(): void;
  /** Gives `bytes` to Node's parser, as if they had come. */
  inject(bytes: Uint8Array): void;
  /** For good; reads on. */
  end(): void;
}

interface Handle {
  readonly fd?: number;
  readStart?(): number;
  readStop?(): number;
}

interface Parser {
  getCurrentBuffer?(): Uint8Array | undefined;
}

type ServerSocket = Socket & {
  readonly _handle?: Handle | null;
  readonly parser?: Parser | null;
  readonly encrypted?: boolean;
};

/**
 * The bytes among which the head of `request` came, at the moment of the server's event; `undefined` where they cannot
 * be had, or begin with another request's.
 */
export function readHeadBytes(request: IncomingMessage): Uint8Array | undefined {
  const { parser } = request.socket as ServerSocket;
  return parser?.getCurrentBuffer?.();
}

/** How many hold a socket: calls that a client sends without waiting for answers may overlap on one. */
const holdsOf = new WeakMap<Handle, number>();

/** `onBytes` gets all that comes, before Node's parser does. Nothing is held yet. */
export function createHeldReading(
  request: IncomingMessage,
  onBytes: (bytes: Uint8Array) => void,
): HeldReading | undefined {
  const socket = request.socket as ServerSocket;
  const handle = socket._handle; // oxlint-disable-line no-underscore-dangle -- the name is Node's
  if (socket.encrypted === true || handle === null || handle === undefined) return undefined;
  if (typeof handle.readStart !== "function" || typeof handle.readStop !== "function") return undefined;
  if (handle.fd === undefined || handle.fd < 0) return undefined;
  let isHeld = false;
  let isInjecting = false;
  const tap = (bytes: Uint8Array): void => {
    if (!isInjecting) onBytes(bytes);
  };
  // From here on the parser has its bytes from this event, too, and no longer from the handle itself.
  socket.prependListener("data", tap);

  function letGo(): void {
    if (!isHeld) return;
    isHeld = false;
    if (changeHolds(handle as Handle, -1) > 0) return;
    Reflect.deleteProperty(handle as Handle, "readStart");
    if (!socket.destroyed) handle?.readStart?.();
  }

  return {
    // oxlint-disable-next-line no-underscore-dangle -- the name is Node's
    descriptor: () => (socket.destroyed || socket._handle !== handle ? undefined : handle.fd),
    hold() {
      if (isHeld || socket.destroyed) return;
      isHeld = true;
      if (changeHolds(handle, 1) > 1) return;
      handle.readStop?.();
      // Node's streams start to read again whenever they have room.
      handle.readStart = () => 0;
    },
    letGo,
    inject(bytes) {
      isInjecting = true;
      try {
        socket.emit("data", bytes);
      } finally {
        isInjecting = false;
      }
    },
    end() {
      socket.off("data", tap);
      letGo();
    },
  };
}

function changeHolds(handle: Handle, by: number): number {
  const holds = (holdsOf.get(handle) ?? 0) + by;
  holdsOf.set(handle, holds);
  return holds;
}
