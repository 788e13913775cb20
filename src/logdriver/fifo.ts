/**
 * The reading end of a named pipe, without a thread.
 *
 * A read of a pipe that blocks takes one of the four threads that Node has for files; four quiet containers would stop
 * every other file of the process. So the pipe is opened without blocking and read by the event loop, as a socket is.
 *
 * It is opened for reading only: the engine holds it for both, so there is a writer as long as the engine lives, and
 * the end of the pipe is the end of the engine.
 */
import { close, constants, fstatSync, open, openSync, readSync } from "node:fs";
import { Socket } from "node:net";
import { promisify } from "node:util";
import { CleatError, isSystemError } from "../errors/index.ts";
import { pipeFill, resizePipe } from "../syscall/index.ts";

export interface FifoReader {
  /** Lets go of the pipe. What is in it stays there. May be called twice. */
  close(): void;
  /**
   * Reads on what is in the pipe now, and lets go of it; waits for its listener no longer than that. The engine writes
   * no more.
   */
  drain(timeoutMs: number): Promise<void>;
}

export interface FifoListener {
  /** The pipe is read on when it has resolved; `mayWait` says whether the engine notices nothing of that yet. */
  data(chunk: Buffer, mayWait: () => boolean): Promise<void> | undefined;
  /** No engine has the pipe any more, or it could not be read. */
  end(error: Error | undefined): void;
}

/**
 * What the kernel is asked to keep while nobody reads: its default for users who are not root (`pipe-max-size`,
 * pipe(7)). While a plugin is started anew, that much of a container's output waits for it before the container does.
 */
const pipeBytes = 1024 * 1024;

const openFile = promisify(open);

/**
 * Opens the pipe and reads it until `close` or `drain`.
 * @throws NOT_FOUND when there is no such file, FAILED_PRECONDITION when it is no pipe.
 */
export async function readFifo(path: string, listener: FifoListener): Promise<FifoReader> {
  const descriptor = await openPipe(path);
  growPipe(descriptor);
  const hasRoom = () => pipeFill(descriptor) < 0.5;
  // Of a pipe that had no writer when it was opened the kernel tells no end (`fifo_open` in `fs/pipe.c`, v6.1).
  if ((await readAll(descriptor, listener, hasRoom)) === "ended") {
    close(descriptor, () => listener.end(undefined));
    return { close() {}, async drain() {} };
  }
  const socket = new Socket({ fd: descriptor, readable: true, writable: false });
  let isClosed = false;
  const finish = (error?: Error) => {
    if (isClosed) return;
    isClosed = true;
    socket.destroy();
    listener.end(error);
  };
  socket.on("data", (chunk: Buffer) => {
    const wait = listener.data(chunk, () => !isClosed && hasRoom());
    if (wait === undefined) return;
    socket.pause();
    void wait.then(() => (isClosed ? socket : socket.resume()));
  });
  socket.once("end", () => finish());
  socket.once("error", finish);
  const takeHeld = () => {
    while (socket.read() !== null); // what it holds while it is paused goes to `data`
  };
  const letGo = () => {
    if (isClosed) return;
    isClosed = true;
    takeHeld();
    socket.destroy();
  };
  return {
    close: letGo,
    async drain(timeoutMs) {
      const deadlineMs = performance.now() + timeoutMs;
      if (isClosed) return;
      // Destroying the socket closes its descriptor, before the pipe is known to be empty.
      const again = openOnceMore(descriptor);
      if (again === undefined) {
        // None is left to wait with: all at once, as far as it is kept.
        isClosed = true;
        takeHeld();
        try {
          await readAll(descriptor, listener, () => false, "at once");
        } finally {
          socket.destroy();
        }
        return;
      }
      letGo();
      try {
        await readAll(again, listener, () => performance.now() < deadlineMs);
      } finally {
        close(again, () => {});
      }
    },
  };
}

/** `undefined` where the process may open no more, or there is no /proc. */
function openOnceMore(descriptor: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

async function openPipe(path: string): Promise<number> {
  try {
    // `O_NOFOLLOW`: the engine's folder holds pipes, and nothing that leads elsewhere.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY;
    const descriptor = await openFile(path, flags);
    if (fstatSync(descriptor).isFIFO()) return descriptor;
    close(descriptor, () => {});
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) {
      throw new CleatError("NOT_FOUND", `pipe "${path}" is not there`, { cause: error });
    }
    if (!isSystemError(error, "ELOOP", "ENXIO")) throw error;
  }
  throw new CleatError("FAILED_PRECONDITION", `"${path}" is not a pipe`);
}

/** The kernel's 64 KiB do as well, for less long. */
function growPipe(descriptor: number): void {
  try {
    resizePipe(descriptor, pipeBytes);
  } catch (error) {
    if (!isSystemError(error, "EPERM", "EBUSY", "ENOMEM", "EINVAL")) throw error;
  }
}

/** Not longer than the pipe: who writes on meanwhile is read as time permits. */
async function readAll(
  descriptor: number,
  listener: FifoListener,
  mayWait: () => boolean,
  pace: "waiting" | "at once" = "waiting",
): Promise<"ended" | "empty" | "more"> {
  const chunk = Buffer.allocUnsafe(64 * 1024);
  for (let total = 0; total <= pipeBytes;) {
    const length = readOrNothing(descriptor, chunk);
    if (length === 0) return "ended";
    if (length === undefined) return "empty";
    total += length;
    const wait = listener.data(Buffer.from(chunk.subarray(0, length)), mayWait);
    if (pace === "waiting") await wait;
  }
  return "more";
}

function readOrNothing(descriptor: number, chunk: Buffer): number | undefined {
  try {
    return readSync(descriptor, chunk);
  } catch (error) {
    if (isSystemError(error, "EAGAIN")) return undefined;
    throw error;
  }
}
