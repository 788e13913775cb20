import { toCleatError } from "../errors/index.ts";
import { basename, dirname, isAbsolute, join } from "node:path";
import { createFixtureFile, createRecordingProxy, type FixtureFile, pluginLocations } from "../host/index.ts";
import { closeOnSignals, listenOnUnix } from "../plugin/index.ts";
import { assertPluginName, pluginNamePattern } from "../protocol/index.ts";
import { formatAddress } from "../transport/index.ts";
import { defineCommand, orUsageError, type Surroundings, UsageError } from "./command.ts";
import { socketFolderToServeIn } from "./default-folders.ts";
import { formatSummary, summarize } from "./exchange-summary.ts";
import { findPlugin, type NamedPlugin } from "./find-plugin.ts";
import { printable, printableJson, shellWord } from "./printable.ts";

export const trace = defineCommand({
  name: "trace",
  operands: "NAME",
  summary: "Stand between an engine and a plugin, and print each call.",
  details: [
    "NAME  a plugin's name, the path of its socket, or unix:///PATH, tcp://HOST:PORT or https://HOST:PORT",
    "",
    "The engine calls the traced plugin under another name, NAME-traced. Each line: when the call began, its method, what it",
    "was about, the status, how long it took, the sizes of request and answer, and what the plugin answered under Err;",
    "BROKEN where there was no whole answer. Options are never printed. --save keeps the exchanges with their bodies (of each",
    "the first 64 KiB), which hold options, passwords included: only you may read that file.",
    "",
    "SIGTERM and SIGINT let running calls finish; a second one does not wait. It goes on when its output is closed.",
  ],
  options: {
    as: { type: "string", value: "NAME", help: "what engines call it; default NAME-traced" },
    socket: { type: "string", value: "PATH", help: "default where engines look for sockets" },
    save: { type: "string", value: "FILE", help: "keep every exchange there, as JSON Lines" },
    force: { type: "boolean", help: "let --save replace a file" },
    json: { type: "boolean", help: "print what is traced, then each call, as lines of JSON" },
  },
  async run({ as, socket, save, force, json }, [text = ""], surroundings) {
    if (socket !== undefined && !isAbsolute(socket)) {
      throw new UsageError(`--socket takes an absolute path, not "${socket}"`);
    }
    if (force === true && save === undefined) throw new UsageError("--force goes with --save");
    const plugin = await findPlugin(text, surroundings);
    const name = as ?? (socket === undefined ? tracedName(plugin) : basename(socket, ".sock"));
    orUsageError(() => assertPluginName(name));
    const path = socket ?? join(await socketFolderToServeIn(surroundings), `${name}.sock`);
    const tracing = { plugin, name, path, save, replace: force === true, json: json === true };
    await serveTrace(tracing, surroundings);
    return "done";
  },
});

function tracedName({ name }: NamedPlugin): string {
  if (pluginNamePattern.test(name)) return `${name}-traced`;
  throw new UsageError(`plugin at ${name} has no name to derive one from; give it one with --as`);
}

interface Tracing {
  readonly plugin: NamedPlugin;
  /** What engines call it. */
  readonly name: string;
  /** Of the socket. */
  readonly path: string;
  /** Of the fixture. */
  readonly save: string | undefined;
  readonly replace: boolean;
  readonly json: boolean;
}

async function serveTrace(tracing: Tracing, surroundings: Surroundings): Promise<void> {
  const { plugin, path, json } = tracing;
  const { stdout, stderr, closingSignals } = surroundings;
  let fixture: FixtureFile | undefined;
  let lost = 0;
  const onLost = (error: unknown) => {
    if (lost++ === 0) stderr.write(`cleat: exchanges are no longer saved: ${toCleatError(error).message}\n`);
  };
  const proxy = createRecordingProxy({
    target: plugin.address,
    tls: plugin.tls,
    onExchange(exchange) {
      const summary = summarize(exchange);
      stdout.write(`${json ? printableJson(summary) : formatSummary(summary)}\n`);
      fixture?.append(exchange).catch(onLost);
    },
  });
  const { address, remove } = await listenOnUnix(proxy.server, { unix: path });
  const close = async () => {
    await remove();
    const brokenOff = await proxy.close();
    await fixture?.close();
    if (brokenOff > 0) stderr.write(`cleat: connections with running calls were broken off: ${brokenOff}\n`);
  };
  try {
    fixture = await openFixture(tracing); // now that nothing is in the way: a failed start replaces no file
  } catch (error) {
    await close();
    throw error;
  }
  stdout.write(`${introduction(tracing, address, surroundings).join("\n")}\n`);
  await closeOnSignals({ address, close, [Symbol.asyncDispose]: close }, { signals: closingSignals });
}

function introduction(tracing: Tracing, address: string, surroundings: Surroundings): string[] {
  const { plugin, name, path, json } = tracing;
  const target = formatAddress(plugin.address);
  if (json) return [printableJson({ plugin: plugin.name, target, name, address })];
  const lines = [
    `Cleat traces "${printable(plugin.name)}" at ${printable(target)} as "${name}" at ${printable(address)}`,
  ];
  const isFound = pluginLocations(surroundings).sockets.includes(dirname(path)) && basename(path) === `${name}.sock`;
  if (!isFound) return [...lines, `  try           npx cleat call ${printable(shellWord(path))} Plugin.Activate`];
  return [
    ...lines,
    `  volumes       docker volume create -d ${name} VOLUME`,
    `  graph driver  dockerd --experimental -s ${name}`,
  ];
}

async function openFixture({ plugin, save, replace }: Tracing): Promise<FixtureFile | undefined> {
  if (save === undefined) return undefined;
  const { name, address } = plugin;
  const header = { plugin: name, address: formatAddress(address), recordedAt: new Date().toISOString() };
  return await createFixtureFile(save, header, { replace });
}
