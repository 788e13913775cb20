import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { startCleat } from "../../test/harness/plugins/cleat.ts";
import { type Namespace, openNamespace } from "../../test/harness/namespaces/namespace.ts";
import { pluginSocket, startPlugin } from "../../test/harness/plugins/plugin-process.ts";
import { buildGoProgram, debianGo } from "../../test/interop/go-program.ts";
import { median, type Measurement } from "../measuring/measure.ts";
import { openMemoryDisk } from "../measuring/memory-disk.ts";
import { writeLayers } from "../content/real-files.ts";

/**
 * What is asked of a driver (`go/main.go`), beside whom, and what is aimed at for each of its calls. What ends in
 * microseconds is compared with moby's driver behind a plugin in Go, whose calls take the same road.
 */
const parts = {
  calls: {
    reference: "Go plugin",
    goals: { "create, get, put and remove": 0.63, "get and put": 1.14, "get and put, mounted": 1.14, exists: 1.11 },
  },
  small: {
    reference: "built-in",
    goals: { "diff of an empty layer": 3, "diff of 10 files": 1.2, "diff and apply of 100 files": 0.5 },
  },
  many: { reference: "built-in", goals: { "diff of 10,000 new files": 0.6, "diff of 10 files over 10,000": 0.05 } },
  archive: { reference: "built-in", goals: { "apply of large files": 0.9, "diff of large files": 1 } },
} as const;

type Part = keyof typeof parts;
type PeerName = "built-in" | "Go plugin" | "Cleat";
type CallTimes = Readonly<Record<string, number>>;

/**
 * Docker's own client and proxy in Go: on its built-in `overlay2`, on the same behind a plugin in Go, and on Cleat's,
 * durability `none`; in turns, the medians of `rounds`. Takes root, Go and Docker's sources from Debian's package.
 */
export async function measureThroughDocker(rounds: number): Promise<readonly Measurement[]> {
  await using disk = await openMemoryDisk();
  const archives = await writeLayers(disk.path);
  const program = await buildGoProgram(resolve("bench/layers/go"), disk.path, [join(mobyPlugin, "stubs"), debianGo]);
  const plugin = await buildGoProgram(mobyPlugin, disk.path, [join(mobyPlugin, "stubs"), debianGo]);
  await using namespace = await openNamespace();
  await startCleat(namespace, { name: "cleat", driver: "overlay2", arguments: ["--durability=none"] });
  await startPlugin(namespace, { name: "go", argv: [plugin, "overlay2", pluginSocket("go")] });
  await using builtin = await startHost(namespace, program, "overlay2", `${disk.path}/builtin`);
  await using go = await startHost(namespace, program, "go", `${disk.path}/moby`);
  await using cleat = await startHost(namespace, program, "cleat", `${disk.path}/cleat`);
  const hosts = { "built-in": builtin, "Go plugin": go, Cleat: cleat };
  const rows: Measurement[] = [];
  for (const part of Object.keys(parts) as Part[]) {
    const measured: Readonly<Record<PeerName, CallTimes>>[] = [];
    for (let round = 0; round <= rounds; round++) {
      const times: [string, CallTimes][] = [];
      for (const [name, host] of Object.entries(hosts))
        times.push([name, await host.run(part, archives["large files"])]);
      measured.push(Object.fromEntries(times) as Record<PeerName, CallTimes>);
    }
    rows.push(...compare(measured.slice(1), parts[part]));
  }
  return rows;
}

const mobyPlugin = resolve("test/kernel/graphdriver/moby-plugin");

function compare(
  rounds: readonly Readonly<Record<PeerName, CallTimes>>[],
  { reference, goals }: { readonly reference: PeerName; readonly goals: Readonly<Record<string, number>> },
): readonly Measurement[] {
  return Object.entries(goals).map(([call, goal]) => {
    const of = (peer: PeerName) => median(rounds.map((times) => times[peer][call]! * 1000));
    const name = `over the socket: ${call}`;
    return { name, unit: "µs", cleat: of("Cleat"), reference: { name: reference, value: of(reference) }, goal };
  });
}

async function startHost({ enter }: Namespace, program: string, driver: string, root: string) {
  await mkdir(root);
  const [command = "", ...args] = [...enter, program, driver, root];
  const host = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(host.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error(`the host of driver "${driver}" has ended`);
    return value as string;
  };
  await next();
  return {
    async run(part: Part, archive: string): Promise<CallTimes> {
      host.stdin.write(`${JSON.stringify({ Do: part, Archive: archive })}\n`);
      return JSON.parse(await next()) as CallTimes;
    },
    async [Symbol.asyncDispose]() {
      const ended = once(host, "exit");
      host.stdin.end();
      await ended;
    },
  };
}
