/**
 * A server whose bodies a pool's threads read and write, as drivers have it; the pool is the built one, as on Node 20 a
 * thread loads no TypeScript.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CleatError } from "../../errors/index.ts";
import type { LendingSource } from "../../protocol/kit.ts";
import { createHttpServer } from "../../transport/index.ts";
import type * as Workers from "../../workers/index.ts";

const built = new URL("../../../dist/workers/index.js", import.meta.url);
const { createWorkerPool } = (await import(built.href)) as typeof Workers;

/** Reads what a ring brings, or writes what it is to bring, all of it or so many bytes, and then fails. */
const jobsSource = `
  import { createHash } from "node:crypto";
  import { createSyncRingReader, createSyncRingWriter } from ${JSON.stringify(built.href)};
  export function hash(ring, failAfter) {
    const reader = createSyncRingReader(ring);
    const all = createHash("sha256");
    let sizeBytes = 0;
    try {
      for (let bytes = reader.read(); bytes !== undefined; bytes = reader.read()) {
        all.update(bytes);
        sizeBytes += bytes.length;
        if (sizeBytes > failAfter) throw new Error("job has had enough");
      }
    } finally {
      reader.leave();
    }
    return all.digest("hex");
  }
  export function send(ring, bytes, pieceBytes, failAfter) {
    const writer = createSyncRingWriter(ring);
    try {
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        if (at > failAfter) throw new Error("job has failed");
        writer.write(bytes.subarray(at, at + pieceBytes));
      }
      writer.finish();
    } catch (error) {
      writer.abort();
      throw error;
    }
  }
`;

interface Jobs {
  hash(ring: Workers.Ring, failAfter: number): string;
  send(ring: Workers.Ring, bytes: Uint8Array, pieceBytes: number, failAfter: number): void;
}

function openPool() {
  const folder = mkdtempSync(join(tmpdir(), "cleat-lent-"));
  const module = join(folder, "jobs.mjs");
  writeFileSync(module, jobsSource);
  const jobs = { url: pathToFileURL(module).href } as Workers.ModuleReference<Jobs>;
  return { folder, jobs, pool: createWorkerPool({ spoolFolder: folder }) };
}

/** The same without a server. */
export function openJobs() {
  const { folder, jobs, pool } = openPool();
  return {
    hash: (source: LendingSource) =>
      pool.consume(source, (ring) => pool.run(jobs, "hash", ring, Number.POSITIVE_INFINITY)),
    async [Symbol.asyncDispose]() {
      await pool.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export interface BodyServer extends AsyncDisposable {
  readonly server: Server;
  /** What became of the jobs, in order: a digest or nothing, or an error. */
  readonly outcomes: (string | Error | undefined)[];
  /** How many bytes the event loop has read from all connections, and written to them. */
  readBytes(): number;
  writtenBytes(): number;
  readonly path: string;
  connect(): Promise<Client>;
}

/** What a download asks for is `download` of its own size, in pieces of `pieceBytes`. */
export interface BodyServerOptions {
  readonly failAfter?: number;
  readonly download?: Uint8Array;
  readonly pieceBytes?: number;
}

export async function openBodyServer(options: BodyServerOptions = {}): Promise<BodyServer> {
  const { failAfter = Number.POSITIVE_INFINITY, download = new Uint8Array(0), pieceBytes = 256 * 1024 } = options;
  const { folder, jobs, pool } = openPool();
  const outcomes: (string | Error | undefined)[] = [];
  const shared = new Uint8Array(new SharedArrayBuffer(download.length));
  shared.set(download);
  const sockets: Socket[] = [];
  const writeDownload = async (ring: Workers.Ring): Promise<void> => {
    try {
      outcomes.push(await pool.run(jobs, "send", ring, shared, pieceBytes, failAfter).then(() => undefined));
    } catch (error) {
      outcomes.push(error as Error);
      throw error;
    }
  };
  const server = createHttpServer(async ({ body, path, signal }) => {
    if (path === "/download") return { status: 200, body: pool.produce(writeDownload) };
    if (body instanceof Uint8Array || path !== "/upload") return { status: 200, body: Buffer.from("{}") };
    try {
      const wanted = pool.within(signal);
      const digest = await pool.consume(body, (ring) => wanted.run(jobs, "hash", ring, failAfter));
      outcomes.push(digest);
      return { status: 200, body: Buffer.from(digest) };
    } catch (error) {
      outcomes.push(error as Error);
      return { status: 500, body: Buffer.from("failed") };
    }
  });
  server.on("connection", (socket: Socket) => void sockets.push(socket));
  server.listen(join(folder, "s"));
  await once(server, "listening");
  return {
    server,
    outcomes,
    readBytes: () => sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
    writtenBytes: () => sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
    path: join(folder, "s"),
    connect: () => openClient(join(folder, "s")),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await pool.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export interface Client {
  readonly socket: Socket;
  /** Each piece in a write of its own, with a turn of the event loop between. */
  send(...pieces: readonly Uint8Array[]): Promise<void>;
  /** Resolves when the connection is closed, by whomever and however. */
  readonly closed: Promise<void>;
  /** The status and body of the next answer. */
  answer(): Promise<{ readonly status: number; readonly body: string }>;
}

async function openClient(path: string): Promise<Client> {
  const socket = connect(path);
  socket.on("error", () => {}).setMaxListeners(0);
  await once(socket, "connect");
  let come = "";
  let wake = (): void => {};
  socket.setEncoding("latin1").on("data", (text: string) => {
    come += text;
    wake();
  });
  socket.once("close", () => wake());
  const answered = /^HTTP\/1\.1 (\d+) [^]*?Content-Length: (\d+)[^]*?\r\n\r\n/;
  const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
  return {
    socket,
    closed,
    async send(...pieces) {
      for (const piece of pieces) {
        if (!socket.write(piece) && !socket.destroyed) {
          await new Promise<void>((resolve) => void socket.once("drain", resolve).once("close", resolve));
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async answer() {
      for (;;) {
        const [head, status, length] = answered.exec(come) ?? [];
        if (head !== undefined && come.length >= head.length + Number(length)) {
          const body = come.slice(head.length, head.length + Number(length));
          come = come.slice(head.length + Number(length));
          return { status: Number(status), body };
        }
        if (socket.destroyed) throw new CleatError("UNAVAILABLE", "connection was closed without an answer");
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

export const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Bytes in which one that is lost, doubled or in another's place shows. */
export function patternOf(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at + 4 <= sizeBytes; at += 4) bytes.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
  return bytes;
}

export const chunkedHead = Buffer.from("POST /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");

/** A chunk, its size as `size` writes it. */
export function chunkOf(content: Uint8Array, size: string = content.length.toString(16)): Buffer {
  return Buffer.concat([Buffer.from(`${size}\r\n`), content, Buffer.from("\r\n")]);
}

/** A body in chunks of these sizes, over and over. */
export function chunksOf(body: Uint8Array, sizes: readonly number[]): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0, index = 0; at < body.length; index++) {
    const size = sizes[index % sizes.length] as number;
    chunks.push(chunkOf(body.subarray(at, at + size)));
    at += size;
  }
  return Buffer.concat(chunks);
}

export const lastChunk = Buffer.from("0\r\n\r\n");
export const smallCall = Buffer.from("POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}");

/** Cut where `sizes` say, over and over. */
export function cutInto(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] as number;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
