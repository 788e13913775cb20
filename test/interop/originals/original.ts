import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildGoProgram, debianGo } from "../go-program.ts";

/** moby's own host of plugins (v20.10.24 `pkg/plugins`), in a process of its own: `host/main.go` drives it. */
export interface Original extends AsyncDisposable {
  get(name: string, subsystem: string): Promise<Outcome>;
  /** Its value is the names of the plugins. */
  getAll(subsystem: string): Promise<Outcome>;
  /** Its value is the names that are found. */
  scan(): Promise<Outcome>;
  handle(subsystem: string): Promise<Outcome>;
  /** `Get`, and then a call of that plugin's client. */
  call(name: string, subsystem: string, method: string, args: object): Promise<Outcome>;
  /** By way of the daemon's proxy of graph drivers. */
  applyDiff(name: string, layer: string, parent: string, archive: string): Promise<Outcome>;
  /** The most memory that the process ever held. */
  peakResidentMib(): Promise<number>;
}

export interface Outcome {
  readonly error: string | undefined;
  readonly seconds: number;
  readonly value: unknown;
}

/** Builds the program in `folder` and returns its path. */
export function buildOriginal(folder: string): Promise<string> {
  // What Debian leaves out of moby's source is the same for the program that serves moby's graph drivers.
  const stubs = join(import.meta.dirname, "../../kernel/graphdriver/moby-plugin/stubs");
  return buildGoProgram(join(import.meta.dirname, "host"), folder, [stubs, debianGo]);
}

export async function startOriginal(program: string, sockets: string, specs: string): Promise<Original> {
  const host = spawn(program, [sockets, specs], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = once(host, "exit");
  await once(host, "spawn");
  const pending = new Map<number, (outcome: Outcome) => void>();
  createInterface(host.stdout).on("line", (line) => {
    const { ID, Error: error, Seconds: seconds, Value: value } = JSON.parse(line) as OutcomeLine;
    pending.get(ID)?.({ error, seconds, value });
    pending.delete(ID);
  });
  let lastId = 0;
  const ask = (request: object) =>
    new Promise<Outcome>((resolve) => {
      pending.set(++lastId, resolve);
      host.stdin.write(`${JSON.stringify({ ID: lastId, ...request })}\n`);
    });
  return {
    get: (name, subsystem) => ask({ Do: "get", Name: name, Subsystem: subsystem }),
    getAll: (subsystem) => ask({ Do: "getAll", Subsystem: subsystem }),
    scan: () => ask({ Do: "scan" }),
    handle: (subsystem) => ask({ Do: "handle", Subsystem: subsystem }),
    call: (name, subsystem, method, args) =>
      ask({ Do: "call", Name: name, Subsystem: subsystem, Method: method, Args: args }),
    applyDiff: (name, layer, parent, archive) =>
      ask({ Do: "applyDiff", Name: name, Layer: layer, Parent: parent, Archive: archive }),
    async peakResidentMib() {
      const status = await readFile(`/proc/${host.pid}/status`, "utf8");
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
    },
    async [Symbol.asyncDispose]() {
      host.kill("SIGKILL"); // it may be stuck: that is what is shown
      await ended;
    },
  };
}

interface OutcomeLine {
  readonly ID: number;
  readonly Error?: string;
  readonly Seconds: number;
  readonly Value?: unknown;
}
