import { kitOf, mainOf, type ProjectTemplate } from "../project-template.ts";

export const logTemplate: ProjectTemplate = {
  kind: "log",
  implements: "LogDriver",
  summary: "A log driver for Docker. It begins with a file for each container, one JSON value a line.",
  page: "docs/log-plugins.md",
  files: (name) => ({
    "src/driver.ts": driver(name),
    "src/main.ts": mainOf(name, {
      serve: ["createLogDriverPlugin", "cleat/logdriver"],
      open: "openDriver",
      given: '{ driver, stateFolder: resolve(folder, "open-pipes") }',
    }),
    "src/driver.test.ts": kitOf({
      checks: "logDriverChecks",
      run: "runLogDriverKit",
      open: "openDriver",
      given: "open: () => openDriver(folder)",
    }),
  }),
};

const driver = (name: string) => `import { mkdir, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { CleatError } from "cleat/errors";
import { createLogFeed, type LogDriver, type LogEntry, type LogFeed, selectEntries } from "cleat/logdriver";

/** A container's log while somebody writes it; two at once where a container is started again. */
interface Story {
  readonly feed: LogFeed;
  writers: number;
  /** How much of the file those who follow were told of, or could read before: the rest is about to come to them. */
  sizeBytes: number;
  /** Writes come one after the other. */
  lastWrite: Promise<void>;
}

/**
 * The manual is at \`LogDriver\`. Pipes are read for you: no container waits for \`write\`, however long that takes.
 */
export async function openDriver(folder: string): Promise<LogDriver> {
  await mkdir(folder, { recursive: true });
  const stories = new Map<string, Story>();
  const fileOf = (id: string) => {
    if (!/^[0-9a-f]{64}$/.test(id)) throw new CleatError("INVALID_ARGUMENT", \`container id "\${id}" is not Docker's\`);
    return join(folder, \`\${id}.jsonl\`);
  };
  return {
    name: "${name}",
    async openLog({ id, options }) {
      const [unknown] = Object.keys(options); // what users may give with --log-opt
      if (unknown !== undefined) throw new CleatError("INVALID_ARGUMENT", \`log option "\${unknown}" is not known\`);
      const file = fileOf(id);
      const sizeBytes = await sizeOf(file);
      const lastWrite = Promise.resolve();
      const story = stories.get(id) ?? { feed: createLogFeed(), writers: 0, sizeBytes, lastWrite };
      stories.set(id, story);
      story.writers++;
      let isClosed = false;
      return {
        async write(entries) {
          const writing = story.lastWrite.then(async () => {
            const sizeBytes = await append(file, entries.map(formatEntry).join(""));
            story.feed.publish(entries);
            story.sizeBytes = sizeBytes;
          });
          story.lastWrite = writing.catch(() => {});
          await writing;
        },
        async close() {
          if (isClosed) return;
          isClosed = true;
          if (--story.writers > 0) return;
          story.feed.end();
          stories.delete(id);
        },
      };
    },
    // Without readLogs Docker keeps a copy of its own.
    async *readLogs({ id }, options, call) {
      const story = options.follow === true ? stories.get(id) : undefined;
      const live = story?.feed.follow(call?.signal);
      yield* selectEntries(readEntries(fileOf(id), story?.sizeBytes), options);
      if (live !== undefined) yield* live;
    },
    close: async () => {},
  };
}

${file}`;

/** What the driver knows of a file of entries. */
const file = `async function sizeOf(path: string): Promise<number> {
  const status = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  return status?.size ?? 0;
}

/** Resolves to the file's size then. What a process wrote in part that was killed stays a line of its own. */
async function append(path: string, lines: string): Promise<number> {
  await using file = await open(path, "a+", 0o600);
  const { size } = await file.stat();
  const last = Buffer.from("\\n");
  if (size > 0) await file.read(last, 0, 1, size - 1);
  await file.appendFile(last.toString() === "\\n" ? lines : \`\\n\${lines}\`);
  return (await file.stat()).size;
}

/** What is there now, or up to \`end\`; what a process wrote in part that was killed is no entry. */
async function* readEntries(path: string, end?: number): AsyncGenerator<LogEntry> {
  await using file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined; // nothing was printed
    throw error;
  });
  const size = end ?? (await file?.stat())?.size ?? 0;
  if (file === undefined || size === 0) return;
  for await (const line of file.readLines({ start: 0, end: size - 1, autoClose: false })) {
    const entry = parseEntry(line);
    if (entry !== undefined) yield entry;
  }
}

/** Bytes are bytes: a line need not be UTF-8. */
function formatEntry({ timeNs, source, line, partial }: LogEntry): string {
  const text = Buffer.from(line).toString("base64");
  return \`\${JSON.stringify({ timeNs: String(timeNs), source, line: text, partial })}\\n\`;
}

function parseEntry(text: string): LogEntry | undefined {
  try {
    const { timeNs, source, line, partial } = JSON.parse(text);
    return { timeNs: BigInt(timeNs), source, line: Buffer.from(line, "base64"), partial };
  } catch {
    return undefined;
  }
}
`;
