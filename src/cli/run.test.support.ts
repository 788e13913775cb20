/** The command in this process, in a folder of its own for each test, with a driver that needs nothing. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable, type Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, vi } from "vitest";
import { CleatError } from "../errors/index.ts";
import type { GraphDriverFactory } from "../graphdriver/index.ts";
import type { CommandContext } from "./terminal/command.ts";
import { run } from "./run.ts";

vi.mock("./serving/options/graph-drivers.ts", async (original) => ({
  ...(await original<typeof import("./serving/options/graph-drivers.ts")>()),
  selectDriver: async ({ root, home = root }: { root: string; home?: string }) => {
    chosenFor.push(home);
    return { factory: fakeFactory, driverName: "fake", note: "for this test" };
  },
}));

/** The folders that a driver was chosen for. */
export const chosenFor: string[] = [];

const content = new Map<string, string>();
const fakeFactory: GraphDriverFactory = {
  name: "fake",
  open: async ({ home }) => {
    const notAsked = async (): Promise<never> => {
      throw new CleatError("UNIMPLEMENTED", "this driver has no such method");
    };
    return {
      name: "fake",
      capabilities: {
        reproducesExactDiffs: false,
        mounts: false,
        enforcesSize: false,
        protectsParents: true,
        maxDepth: 125,
      },
      create: notAsked,
      createReadWrite: notAsked,
      remove: notAsked,
      get: notAsked,
      exists: notAsked,
      metadata: notAsked,
      changes: notAsked,
      diffSize: notAsked,
      status: async () => [["Home", home]],
      put: async (id) => {
        throw new CleatError("NOT_FOUND", `layer "${id}" does not exist`);
      },
      diff: async (id) => Readable.from([Buffer.from(content.get(id) ?? "")]),
      applyDiff: async (id, _parent, source) => {
        content.set(id, await text(Readable.from(source)));
        return content.get(id)?.length ?? 0;
      },
      cleanup: async () => {},
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
  },
};

export let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Options {
  readonly stdin?: Readable & { isTTY?: boolean };
  readonly stdoutIsTerminal?: boolean;
  /** Instead of one that is read at the end. */
  readonly stdout?: Writable;
}

export function start(argv: readonly string[], options: Options = {}) {
  const { stdin = Readable.from([]), stdoutIsTerminal = false } = options;
  const stdout = Object.assign(new PassThrough(), { isTTY: stdoutIsTerminal });
  const stderr = new PassThrough();
  const context: CommandContext = {
    stdin,
    stdout: options.stdout ?? stdout,
    stderr,
    env: { HOME: folder, XDG_RUNTIME_DIR: folder },
    uid: 1000,
    closingSignals: ["SIGUSR2"],
  };
  const printed = { out: "", err: "" };
  stdout.on("data", (bytes) => (printed.out += String(bytes)));
  stderr.on("data", (bytes) => (printed.err += String(bytes)));
  const ended = run(argv, context).then((code) => ({ code, ...printed }));
  return { ended, stdout };
}

export const cleat = (argv: readonly string[], options?: Options) => start(argv, options).ended;

/** Serves on the default socket until `stop`. */
export async function serving(...options: string[]) {
  const { ended, stdout } = start(["serve", "graph", "--name", "p", "--log-level", "warn", ...options]);
  const printed: string = await Promise.race([
    once(stdout, "data").then(([chunk]) => String(chunk)),
    ended.then(({ err }) => Promise.reject(new Error(err))),
  ]);
  const stop = () => {
    process.emit("SIGUSR2", "SIGUSR2");
    return ended;
  };
  return { printed, stop };
}
