import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { connect as connectSocket, type Socket } from "node:net";
import { isSystemError, TransportError } from "../../errors/index.ts";

export interface GrpcChannelOptions {
  /** Absolute path of the peer's socket. */
  readonly unix: string;
}

/** One connection to a peer, shared by all calls: made by the first, and made again by the first after it was lost. */
export interface GrpcChannel extends AsyncDisposable {
  /** "unix:///run/containerd/containerd.sock" */
  readonly address: string;
  /** @throws TransportError UNAVAILABLE when nobody is there, PERMISSION_DENIED when the socket may not be used. */
  session(): Promise<ClientHttp2Session>;
  /** Waits for running calls; later ones fail with UNAVAILABLE. May be called twice. */
  close(): Promise<void>;
}

export function createGrpcChannel({ unix: path }: GrpcChannelOptions): GrpcChannel {
  const address = `unix://${path}`;
  let current: ClientHttp2Session | undefined;
  let connecting: Promise<ClientHttp2Session> | undefined;
  let isClosed = false;

  const connect = async () => {
    const socket = await openSocket(path, address);
    // A session ends its half once no call is left, and would wait for a peer that hangs to end the other.
    socket.once("finish", () => socket.destroy());
    const session = connectHttp2("http://localhost", {
      createConnection: () => socket,
      maxSessionMemory: maxSessionMegabytes,
      settings: { enablePush: false },
    });
    const forget = () => {
      if (current === session) current = undefined;
    };
    session.once("goaway", forget);
    session.once("close", forget);
    session.on("error", forget); // each call hears of it by itself
    if (isClosed) session.close();
    return (current = session);
  };
  const shutDown = async () => {
    isClosed = true;
    const session = (await connecting?.catch(() => undefined)) ?? current;
    if (session === undefined || session.destroyed) return;
    await new Promise<void>((resolve) => session.close(resolve));
  };
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= shutDown()); // a session that is closing never answers a second close
  return {
    address,
    async session() {
      if (isClosed) throw new TransportError("UNAVAILABLE", `channel to ${address} is closed`, { reachedPeer: false });
      if (current !== undefined && !current.closed && !current.destroyed) return current;
      connecting ??= connect().finally(() => (connecting = undefined));
      return connecting;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Beyond Node's 10 MB, which count what waits to be sent. */
const maxSessionMegabytes = 256;

function openSocket(path: string, address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ path });
    socket.once("connect", () => {
      socket.off("error", onError);
      resolve(socket);
    });
    const onError = (cause: Error) => {
      const code = isSystemError(cause, "EACCES", "EPERM") ? "PERMISSION_DENIED" : "UNAVAILABLE";
      reject(new TransportError(code, `no connection to ${address}: ${cause.message}`, { reachedPeer: false, cause }));
    };
    socket.once("error", onError);
  });
}
