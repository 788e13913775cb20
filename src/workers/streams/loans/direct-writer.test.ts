import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { createRing, LENT, LOAN, NEXT_BYTES, outletStates, type Ring } from "../ring/control.ts";
import { createDirectWriter } from "./direct-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "cleat-direct-"));
afterAll(() => rmSync(folder, { recursive: true }));

const content = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, at) => at % 251));
const path = join(folder, "file");
writeFileSync(path, content);

const readers: ChildProcess[] = [];
const workers: Worker[] = [];
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.kill("SIGKILL");
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

/** A peer in a process of its own, at whose socket a writer stands that may block this thread. */
function lendPeer(command: string) {
  const got = join(folder, "got");
  const reader = spawn("bash", ["-c", `${command} > ${got}`], { stdio: ["pipe", "ignore", "ignore"] });
  readers.push(reader);
  const ring = createRing();
  Atomics.store(ring.control, LENT, (reader.stdin as unknown as { _handle: { fd: number } })._handle.fd);
  Atomics.store(ring.control, LOAN, outletStates.lent);
  const ended = once(reader, "exit");
  /** All that the peer has read when nothing more comes. */
  async function end(): Promise<Buffer> {
    (reader.stdin as Socket).end();
    await ended;
    return readFileSync(got);
  }
  return { ring, writer: createDirectWriter(ring), end };
}

/** What chunk frames hold; an error where they are none. */
function unframe(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const sizeBytes = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const end = lineEnd + 2 + sizeBytes;
    if (!(end + 2 <= bytes.length && bytes.toString("latin1", end, end + 2) === "\r\n")) throw new Error("cut off");
    parts.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
  }
  return Buffer.concat(parts);
}

function withFile<T>(use: (descriptor: number) => T, opened = path): T {
  const descriptor = openSync(opened, "r");
  try {
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** What the writer gives back at its end has to be written by the lender. */
function takeRest(ring: Ring): Buffer {
  expect(Atomics.load(ring.control, LOAN)).toBe(outletStates.returned);
  return Buffer.from(ring.data.subarray(0, Atomics.load(ring.control, NEXT_BYTES)));
}

describe("files that go to a peer's descriptor", () => {
  it("come in frames, among what is written, in order", async () => {
    const { ring, writer, end } = lendPeer("cat");
    expect(writer.write(content.subarray(0, 700))).toBe(700);
    expect(withFile((file) => writer.send(file, content.length))).toBe(content.length);
    expect(writer.write(content.subarray(0, 100_000))).toBe(100_000);
    expect(withFile((file) => writer.send(file, 65_536))).toBe(65_536);
    writer.end();
    const rest = takeRest(ring);
    const wanted = [content.subarray(0, 700), content, content.subarray(0, 100_000), content.subarray(0, 65_536)];
    expect(unframe(Buffer.concat([await end(), rest])).equals(Buffer.concat(wanted))).toBe(true);
  });

  it("are copied where the file system cannot send them", async () => {
    // procfs has no pages to send
    const size = 4096;
    const { ring, writer, end } = lendPeer("cat");
    const wanted = withFile((file) => {
      const sent = writer.send(file, size);
      expect(sent).toBeGreaterThan(0);
      return sent;
    }, "/proc/self/status");
    writer.end();
    const rest = takeRest(ring);
    expect((await end()).length + rest.length).toBeGreaterThan(wanted);
  });

  it("break the frame off where they end too early, so that nobody takes it for whole", async () => {
    const short = join(folder, "short");
    writeFileSync(short, content);
    const { ring, writer, end } = lendPeer("cat");
    withFile((file) => {
      truncateSync(short, 100_000);
      expect(writer.send(file, 200_000)).toBe(100_000);
      expect(() => writer.write(content)).toThrow("a file became shorter, or failed, while it was read");
    }, short);
    writer.end();
    const rest = takeRest(ring);
    const got = await end();
    expect(rest).toHaveLength(0);
    expect(() => unframe(got)).toThrow("cut off");
  });

  it("break the frame off where they cannot be read, so that nothing is taken for their content", async () => {
    const { ring, writer, end } = lendPeer("cat");
    // Its first page is not this process's to read: EIO.
    expect(() => withFile((file) => writer.send(file, 4096), "/proc/self/mem")).toThrow("EIO");
    expect(() => writer.write(content)).toThrow("a file became shorter, or failed, while it was read");
    writer.end();
    expect(takeRest(ring)).toHaveLength(0);
    expect(String(await end())).toBe("1000\r\n");
  });

  it("are whole in what is given back, where the descriptor is called back in the middle of a frame", async () => {
    // The peer reads nothing before a while has gone by, so that the writer waits in the middle of the frame.
    const { ring, writer, end } = lendPeer("sleep 1; exec cat");
    const worker = new Worker(lender, { eval: true, workerData: ring });
    workers.push(worker);
    const given = once(worker, "message") as Promise<[Uint8Array]>;
    await once(worker, "online");
    const sent = withFile((file) => writer.send(file, 500_000));
    expect(sent).toBe(500_000);
    expect(writer.isLent()).toBe(false);
    const [rest] = await given;
    expect(rest.length).toBeGreaterThan(0);
    expect(unframe(Buffer.concat([await end(), rest])).equals(content.subarray(0, 500_000))).toBe(true);
  });

  it("fail when the peer has gone", async () => {
    const { writer } = lendPeer("exec true");
    await once(readers[0] as ChildProcess, "exit");
    const gone = expect.objectContaining({ code: "CANCELLED" });
    expect(() => withFile((file) => writer.send(file, content.length))).toThrow(gone);
  });
});

/** Calls the descriptor back after 100 ms, and takes what is given back (`control.ts` names the words). */
const lender = `
  const { parentPort, workerData: { control, data } } = require("node:worker_threads");
  const [LOAN, NEXT_BYTES, lent, recalled, returned] = [8, 13, 3, 4, 5];
  Atomics.wait(control, LOAN, lent, 100);
  Atomics.compareExchange(control, LOAN, lent, recalled);
  while (Atomics.load(control, LOAN) !== returned) Atomics.wait(control, LOAN, recalled, 10);
  parentPort.postMessage(Uint8Array.from(data.subarray(0, Atomics.load(control, NEXT_BYTES))));
  Atomics.store(control, LOAN, 0);
  Atomics.notify(control, LOAN);
`;
