import { AssertionError } from "node:assert";
import { Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { type Address, createTlsDialer, formatAddress, type TlsClientOptions } from "../../transport/index.ts";

export interface WireMessage {
  /** "/VolumeDriver.Get" */
  readonly path: string;
  readonly body: string | Uint8Array;
  /** `Content-Length` is added; nothing else is. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** The body goes out in pieces of so many bytes, without a `Content-Length`. */
  readonly pieceBytes?: number;
  /** So many bytes of it, and the connection ends. */
  readonly breakOffAfter?: number;
}

export interface WireAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** A connection that is kept between calls. */
export interface PeerConnection extends Disposable {
  /** Whether the call went over the connection of the one before. */
  send(message: WireMessage): Promise<WireAnswer & { readonly reused: boolean }>;
}

/**
 * A plugin as what it is: something at the other end of a connection, which may answer anything, slowly, without end,
 * or not at all. Every call ends within its time and reads no more than `maxAnswerBytes`.
 */
export interface PluginPeer {
  readonly address: string;
  /** One call on a connection of its own. @throws AssertionError when there is no whole answer in time. */
  send(message: WireMessage): Promise<WireAnswer>;
  openConnection(): PeerConnection;
  /** Bare; its errors are the caller's. */
  openSocket(): Socket;
}

/** No honest answer of a check is nearly as long. */
const maxAnswerBytes = 16 * 1024 * 1024;

/** @throws INVALID_ARGUMENT when `tls` is of no use. */
export function createPluginPeer(address: Address, tls: TlsClientOptions = {}): PluginPeer {
  const name = formatAddress(address);
  const openSocket = "https" in address ? createTlsDialer(address.https, tls, name).dial : () => dial(address);
  const openConnection = (): PeerConnection => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agent.createConnection = openSocket;
    return { send: (message) => exchange(agent, message), [Symbol.dispose]: () => agent.destroy() };
  };
  return {
    address: name,
    async send(message) {
      using connection = openConnection();
      return await connection.send(message);
    },
    openConnection,
    openSocket,
  };
}

/** Half open, as Go's connections may be. */
function dial(address: Exclude<Address, { readonly https: unknown }>): Socket {
  const place = "unix" in address ? { path: address.unix } : address.tcp;
  return connect({ ...place, allowHalfOpen: true });
}

type Reply = WireAnswer & { readonly reused: boolean };

function exchange(agent: Agent, message: WireMessage): Promise<Reply> {
  const { path, timeoutMs, pieceBytes } = message;
  return new Promise((resolve, reject) => {
    const body = Buffer.from(message.body as string);
    const framing = pieceBytes === undefined ? { "Content-Length": body.length } : { "Transfer-Encoding": "chunked" };
    const headers = { ...message.headers, ...framing };
    const request = httpRequest({ agent, method: "POST", path, setHost: false, headers });
    request.removeHeader("Connection"); // engines send none
    const fail = (problem: string) => {
      clearTimeout(timer);
      request.destroy();
      reject(new AssertionError({ message: `POST ${path}: ${problem}` }));
    };
    const timer = setTimeout(() => fail(`no whole answer within ${timeoutMs} ms`), timeoutMs);
    request.on("error", (error) => fail(`connection broke: ${error.message}`));
    request.on("upgrade", () => fail("answered with another protocol"));
    request.on("response", (response) => collect(request, response, fail, finish));
    send(request, body, message);
    function finish(answer: Reply): void {
      clearTimeout(timer);
      resolve(answer);
    }
  });
}

function send(request: ClientRequest, body: Buffer, { pieceBytes = body.length, breakOffAfter }: WireMessage): void {
  const sent = body.subarray(0, breakOffAfter);
  if (sent.length === body.length && pieceBytes >= body.length) return void request.end(body);
  let last = (_written: () => void): void => void request.end();
  if (breakOffAfter !== undefined) last = (written) => void request.write(Buffer.from("x"), written);
  for (let at = 0; at < sent.length; at += pieceBytes) request.write(sent.subarray(at, at + pieceBytes));
  last(() => request.destroy(new Error("broken off")));
}

function collect(
  request: ClientRequest,
  response: IncomingMessage,
  fail: (problem: string) => void,
  finish: (answer: Reply) => void,
): void {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  response.on("data", (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes > maxAnswerBytes) fail(`answer is over ${maxAnswerBytes} bytes`);
    else chunks.push(chunk);
  });
  response.on("error", (error) => fail(`answer broke off: ${error.message}`));
  response.on("end", () => {
    finish({ status: response.statusCode ?? 0, body: Buffer.concat(chunks), reused: request.reusedSocket });
  });
}
