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

const driver = (name: string) => `import { appendFile, mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { CleatError } from "cleat/errors";
import { createLogFeed, type LogDriver, type LogEntry, type LogFeed, selectEntries } from "cleat/logdriver";

/** A container's log while somebody writes it; two at once where a container is started again. */
interface Story {
  readonly feed: LogFeed;
  writers: number;
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
      const story = stories.get(id) ?? { feed: createLogFeed(), writers: 0 };
      stories.set(id, story);
      story.writers++;
      let isClosed = false;
      return {
        async write(entries) {
          await appendFile(file, entries.map(formatEntry).join(""), { mode: 0o600 });
          story.feed.publish(entries);
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
      const live = options.follow === true ? stories.get(id)?.feed.follow(call?.signal) : undefined;
      yield* selectEntries(readEntries(fileOf(id)), options);
      if (live !== undefined) yield* live;
    },
    close: async () => {},
  };
}

/** What is there now; the end of what a process wrote that was killed is no entry. */
async function* readEntries(path: string): AsyncGenerator<LogEntry> {
  await using file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined; // nothing was printed
    throw error;
  });
  const { size } = (await file?.stat()) ?? { size: 0 };
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
