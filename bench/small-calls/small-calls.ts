import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { runCommand } from "../../test/harness/processes/command.ts";
import { createScratch } from "../../test/harness/namespaces/scratch.ts";
import { buildGoProgram } from "../../test/interop/go-program.ts";
import { median, type Measurement } from "../measuring/measure.ts";

const warmUpCalls = 2_000;
const calls = 3_000;
const callers = 16;
const callsAtOnce = 16_000;
const plugins = 100;
const activations = 10;

/** Who calls whom. The first is what the others are compared with. */
const pairs = [
  { client: "Go", server: "Go" },
  { client: "Cleat", server: "Cleat" },
  { client: "Cleat", server: "Go" },
  { client: "Go", server: "Cleat" },
] as const;

interface CallTimes {
  readonly medianUs: number;
  readonly p99Us: number;
  readonly callsPerSecond: number;
}

interface Round {
  /** In the order of `pairs`. */
  readonly calls: readonly CallTimes[];
  readonly activationMs: { readonly cleat: number; readonly go: number };
}

/**
 * Calls of some bytes over a unix socket, and the activation of many plugins, beside a client and a server of Go's
 * standard library; each client and each server is a process of its own. In turns, so that whatever else the machine
 * does meets all; the median of `rounds`. Without Go nothing is measured, and a sentence says so.
 */
export async function measureSmallCalls(rounds: number): Promise<readonly Measurement[]> {
  if (spawnSync("go", ["version"]).error !== undefined) {
    console.error("cleat: small calls are left out: no go in PATH to compare with (npm run engines brings it)");
    return [];
  }
  await using scratch = await createScratch();
  const go = await buildGoProgram(resolve("bench/small-calls/go"), scratch.path);
  const folder = `${scratch.path}/plugins`;
  await mkdir(folder);
  const goSockets = Array.from({ length: plugins }, (_, plugin) => `${folder}/go-${plugin}.sock`);
  const sockets = { Go: goSockets[0]!, Cleat: `${scratch.path}/cleat.sock` };
  await using goServer = await startServer([go, "serve", ...goSockets]);
  await using cleatServer = await startServer([process.execPath, programOf("serve"), sockets.Cleat]);
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const times: CallTimes[] = [];
    for (const { client, server } of pairs) {
      const program = client === "Go" ? [go, "call"] : [process.execPath, programOf("call")];
      const numbers = [warmUpCalls, calls, callers, callsAtOnce].map(String);
      times.push(JSON.parse(await runCommand([...program, sockets[server], ...numbers])) as CallTimes);
    }
    const activate = async (program: readonly string[]) =>
      (JSON.parse(await runCommand([...program, folder, String(activations)])) as { medianMs: number }).medianMs;
    measured.push({
      calls: times,
      activationMs: {
        go: await activate([go, "activate"]),
        cleat: await activate([process.execPath, programOf("activate")]),
      },
    });
    for (const server of [goServer, cleatServer]) server.assertRuns();
  }
  return [...pairs.slice(1).flatMap((_, pair) => compareCalls(measured, pair + 1)), compareActivations(measured)];
}

function compareCalls(rounds: readonly Round[], pair: number): Measurement[] {
  const { client, server } = pairs[pair]!;
  const row = (title: string, unit: Measurement["unit"], figure: (times: CallTimes) => number): Measurement => ({
    name: `${client} calls ${server}, ${title}`,
    unit,
    cleat: median(rounds.map((round) => figure(round.calls[pair]!))),
    reference: { name: "Go calls Go", value: median(rounds.map((round) => figure(round.calls[0]!))) },
    limit: undefined,
  });
  return [
    row("median", "µs", ({ medianUs }) => medianUs),
    row("99th percentile", "µs", ({ p99Us }) => p99Us),
    row(`${callers} callers`, "calls/s", ({ callsPerSecond }) => callsPerSecond),
  ];
}

function compareActivations(rounds: readonly Round[]): Measurement {
  return {
    name: `activation of ${plugins} plugins`,
    unit: "ms",
    cleat: median(rounds.map(({ activationMs }) => activationMs.cleat)),
    reference: { name: "Go client", value: median(rounds.map(({ activationMs }) => activationMs.go)) },
    limit: undefined,
  };
}

/** JavaScript, because it runs on the built package, which the compiler of the benchmarks does not know. */
function programOf(name: "call" | "serve" | "activate"): string {
  return resolve(`bench/small-calls/${name}.mjs`);
}

/** A process that prints "ready" when it listens. Disposing ends it. */
async function startServer([command = "", ...args]: readonly string[]) {
  const server = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(server, "exit");
  const [line] = (await Promise.race([once(createInterface(server.stdout), "line"), ended])) as [unknown];
  if (line !== "ready") throw new Error(`${command} ended with ${String(line)} instead of listening`);
  return {
    assertRuns() {
      if (server.exitCode !== null || server.signalCode !== null) throw new Error(`${command} ended meanwhile`);
    },
    async [Symbol.asyncDispose]() {
      server.kill("SIGTERM");
      await ended;
    },
  };
}
