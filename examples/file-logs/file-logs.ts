/**
 * Logs in files, one JSON value a line, which rotate: `docker run --log-driver NAME --log-opt max-size=1000000
 * --log-opt max-file=3`. A container's are in a folder of its own:
 *
 *     ROOT/CONTAINER-ID/log.jsonl      the newest
 *     ROOT/CONTAINER-ID/log.jsonl.1    before that
 */
import { type FileHandle, mkdir, open, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CleatError } from "cleat/errors";
import { createLogFeed, type LogDriver, type LogEntry, type LogFeed, selectEntries } from "cleat/logdriver";

interface Limits {
  readonly "max-size": number;
  readonly "max-file": number;
}

/** One container's log while somebody writes it; two at once where a container is started again. */
interface Story {
  readonly feed: LogFeed;
  writers: number;
  /** Writes and the beginnings of reads, one after the other. */
  last: Promise<unknown>;
}

export function createFileLogs(root: string): LogDriver {
  const stories = new Map<string, Story>();

  const inTurn = <T>(story: Story | undefined, step: () => Promise<T>): Promise<T> => {
    if (story === undefined) return step();
    const done = story.last.then(step);
    story.last = done.catch(() => {});
    return done;
  };

  return {
    name: "file-logs",
    async openLog({ id, options }) {
      const limits = readLimits(options);
      const folder = folderOf(root, id);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const story = stories.get(id) ?? { feed: createLogFeed(), writers: 0, last: Promise.resolve() };
      stories.set(id, story);
      story.writers++;
      let isClosed = false;
      return {
        write: (entries, { dropped }) =>
          inTurn(story, async () => {
            const all = dropped === 0 ? entries : [toNotice(dropped, entries), ...entries];
            await append(folder, all.map(formatEntry).join(""), limits);
            story.feed.publish(all);
          }),
        async close() {
          if (isClosed) return;
          isClosed = true;
          if (--story.writers > 0) return;
          await story.last;
          if (story.writers > 0) return; // the container is started again
          story.feed.end();
          stories.delete(id);
        },
      };
    },
    async *readLogs({ id }, options, call) {
      const story = stories.get(id);
      // What is there and what comes meet at one point: no write is under way there.
      const [files, live] = await inTurn(
        story,
        async () =>
          [
            await openFiles(folderOf(root, id)),
            options.follow === true ? story?.feed.follow(call?.signal) : undefined,
          ] as const,
      );
      try {
        yield* selectEntries(readEntries(files), options);
        if (live !== undefined) yield* live;
      } finally {
        // Neither may have been begun: with a tail of 0, or where the reader has left.
        await live?.return(undefined);
        await Promise.all(files.map(({ file }) => file.close()));
      }
    },
    async close() {},
  };
}

function folderOf(root: string, id: string): string {
  if (/^[0-9a-f]{64}$/.test(id)) return join(root, id);
  throw new CleatError("INVALID_ARGUMENT", `container id ${JSON.stringify(id)} is not Docker's`);
}

function readLimits(options: Readonly<Record<string, string>>): Limits {
  const limits = { "max-size": 10_000_000, "max-file": 5 };
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(limits, name)) {
      throw new CleatError("INVALID_ARGUMENT", `unknown log option "${name}"; known are max-size (bytes), max-file`);
    }
    if (!/^[1-9]\d{0,11}$/.test(value)) {
      throw new CleatError(
        "INVALID_ARGUMENT",
        `log option "${name}" is "${value}", which is not a number of 1 and more`,
      );
    }
    limits[name as keyof Limits] = Number(value);
  }
  return limits;
}

const fileName = "log.jsonl";

async function append(folder: string, lines: string, limits: Limits): Promise<void> {
  await using file = await open(join(folder, fileName), "a+", 0o600);
  const { size } = await file.stat();
  if (size > 0 && size + Buffer.byteLength(lines) > limits["max-size"]) {
    await rotate(folder, limits["max-file"]);
    await using next = await open(join(folder, fileName), "a", 0o600);
    await next.appendFile(lines);
    return;
  }
  await file.appendFile((await endsInLine(file, size)) ? lines : `\n${lines}`);
}

/** Otherwise whoever wrote it was killed: that line is nobody's. */
async function endsInLine(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() === "\n";
}

async function rotate(folder: string, files: number): Promise<void> {
  const names = Array.from({ length: files }, (_, at) => join(folder, at === 0 ? fileName : `${fileName}.${at}`));
  for (let at = names.length - 1; at > 0; at--) {
    await rename(names[at - 1] as string, names[at] as string).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  if (files === 1) await (await open(names[0] as string, "w", 0o600)).close();
}

/** The oldest first, each as long as it is now. */
async function openFiles(folder: string): Promise<{ file: FileHandle; size: number }[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const ageOf = (name: string) => Number(name.slice(fileName.length + 1));
  const sorted = names.filter((name) => name.startsWith(fileName)).toSorted((one, other) => ageOf(other) - ageOf(one));
  return Promise.all(
    sorted.map(async (name) => {
      const file = await open(join(folder, name));
      return { file, size: (await file.stat()).size };
    }),
  );
}

async function* readEntries(files: { file: FileHandle; size: number }[]): AsyncGenerator<LogEntry> {
  for (const { file, size } of files) {
    if (size === 0) continue;
    const input = file.createReadStream({ start: 0, end: size - 1, autoClose: false });
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const entry = parseEntry(line);
      if (entry !== undefined) yield entry;
    }
  }
}

function formatEntry({ source, timeNs, line, partial }: LogEntry): string {
  const bytes = Buffer.from(line);
  const text = bytes.toString();
  const content = Buffer.from(text).equals(bytes) ? { text } : { base64: bytes.toString("base64") };
  return `${JSON.stringify({ timeNs: String(timeNs), source, ...content, partial })}\n`;
}

function parseEntry(row: string): LogEntry | undefined {
  try {
    const { timeNs, source, text, base64, partial } = JSON.parse(row);
    return {
      source,
      timeNs: BigInt(timeNs),
      line: Buffer.from(text ?? base64, text === undefined ? "base64" : "utf8"),
      partial,
    };
  } catch {
    return undefined; // the end of a process that was killed
  }
}

function toNotice(dropped: number, [next]: readonly LogEntry[]): LogEntry {
  const line = Buffer.from(`[${dropped} lines were dropped here]`);
  return { source: "stderr", timeNs: next?.timeNs ?? BigInt(Date.now()) * 1_000_000n, line };
}
