import { realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { toCleatError } from "../../errors/index.ts";
import { createFixtureFile, createRecordingProxy, type FixtureFile, pluginLocations } from "../../host/index.ts";
import { closeOnSignals, type Listening, listenOnUnix } from "../../plugin/index.ts";
import { assertPluginName } from "../../protocol/index.ts";
import { formatAddress } from "../../transport/index.ts";
import { type CommandContext, defineCommand, orUsageError, UsageError } from "../terminal/command.ts";
import { socketFolderToServeIn } from "../terminal/default-folders.ts";
import { loadDescribeCaller } from "./describe-caller.ts";
import { formatSummary, summarize } from "./exchange-summary.ts";
import { findPlugin, type NamedPlugin } from "./find-plugin.ts";
import { createLinePrinter } from "../terminal/line-printer.ts";
import { printable, printableJson, shellWord } from "../terminal/printable.ts";
import { keepInPlace, type KeptInPlace } from "../stand-in/keep-in-place.ts";
import { createStandIn } from "../stand-in/stand-in.ts";

export const trace = defineCommand({
  details: [
    "NAME  a plugin's name, the path of its socket, or unix:///PATH, tcp://HOST:PORT or https://HOST:PORT",
    "",
    "Engines go on calling the plugin by its name: its socket is moved aside, and put back when the trace ends,",
    "however it does. What an engine has open to the plugin already stays as it is, and is not seen: engines keep",
    "connections for later calls. Start the engine or the plugin anew under the trace, and every call is seen. A",
    "plugin on TCP cannot be moved: engines that look its name up from now on come by the trace, those that know it",
    "already go on calling it directly.",
    "",
    "With --as or --socket the trace stands beside the plugin, for an engine that is told of the other name. To",
    "Docker another name of a graph driver is another engine, which begins empty.",
    "",
    "Each line: when the call began, its method, what it was about, the status, how long it took, the sizes of",
    "request and answer, the process that called, where the kernel tells, and what the plugin answered under Err;",
    "BROKEN where there was no whole answer. Options are never printed. --save keeps the exchanges with their bodies",
    "(of each the first 64 KiB), which hold options, passwords included: only you may read that file.",
    "",
    "SIGTERM and SIGINT let running calls finish; a second one does not wait. It goes on when its output is closed.",
  ],
  options: {
    as: { type: "string", value: "NAME", help: "stand beside the plugin, under this name" },
    socket: {
      type: "string",
      value: "PATH",
      help: "stand beside the plugin, there; default where engines look for sockets",
    },
    save: { type: "string", value: "FILE", help: "keep every exchange there, as JSON Lines" },
    force: { type: "boolean", help: "let --save replace a file" },
    json: { type: "boolean", help: "print what is traced, then each call, as lines of JSON" },
  },
  async run({ as, socket, save, force, json }, [text = ""], context) {
    if (socket !== undefined && !isAbsolute(socket)) {
      throw new UsageError(`--socket takes an absolute path, not "${socket}"`);
    }
    if (save === "") throw new UsageError('--save takes a FILE, not ""');
    if (force === true && save === undefined) throw new UsageError("--force goes with --save");
    const plugin = await findPlugin(text, context);
    const place = await placeFor(plugin, as, socket, context);
    await serveTrace({ plugin, ...place, save, replace: force === true, json: json === true }, context);
    return "done";
  },
});

interface TracePlace {
  /** What engines call it. */
  readonly name: string;
  /** Of the socket. */
  readonly path: string;
  readonly stands: "beside the plugin" | "in its place" | "before its spec file";
}

async function placeFor(
  plugin: NamedPlugin,
  as: string | undefined,
  socket: string | undefined,
  context: CommandContext,
): Promise<TracePlace> {
  const { address } = plugin;
  const isBeside = as !== undefined || socket !== undefined;
  if (!isBeside && "unix" in address) {
    // Who calls it by a symlink calls what that leads to. One that is not there is told of by the look at it.
    const path = await realpath(address.unix).catch(() => address.unix);
    return { name: plugin.name, path, stands: "in its place" };
  }
  if (!isBeside && plugin.path === undefined) {
    throw new UsageError(`plugin at ${plugin.name} has no name by which engines find it; give it one with --as`);
  }
  const name = as ?? (socket === undefined ? plugin.name : basename(socket, ".sock"));
  orUsageError(() => assertPluginName(name));
  const path = socket ?? join(await socketFolderToServeIn(context), `${name}.sock`);
  return { name, path, stands: isBeside ? "beside the plugin" : "before its spec file" };
}

interface Tracing extends TracePlace {
  readonly plugin: NamedPlugin;
  /** Of the fixture. */
  readonly save: string | undefined;
  readonly replace: boolean;
  readonly json: boolean;
}

async function serveTrace(tracing: Tracing, context: CommandContext): Promise<void> {
  const { plugin, path, json, stands } = tracing;
  const { stderr, closingSignals } = context;
  let fixture: FixtureFile | undefined;
  let lost = 0;
  const onLost = (error: unknown) => {
    if (lost++ === 0) stderr.write(`cleat: exchanges are no longer saved: ${toCleatError(error).message}\n`);
  };
  const print = createLinePrinter(context);
  let target = plugin.address;
  const proxy = createRecordingProxy({
    target: "https" in target ? target : () => target,
    tls: plugin.tls,
    describeCaller: await loadDescribeCaller(),
    onExchange(exchange, caller) {
      const summary = summarize(exchange, caller);
      print.line(json ? printableJson(summary) : formatSummary(summary));
      fixture?.append(exchange).catch(onLost);
    },
  });
  const standIn =
    stands === "beside the plugin"
      ? undefined
      : await createStandIn(proxy.server, path, stands === "before its spec file");
  let kept: KeptInPlace | undefined;
  let listening: Listening | undefined;
  const close = async () => {
    await kept?.stop();
    await standIn?.end();
    target = plugin.address; // where the plugin's socket is again
    await listening?.remove();
    const brokenOff = await proxy.close();
    await fixture?.close();
    if (brokenOff > 0) stderr.write(`cleat: connections with running calls were broken off: ${brokenOff}\n`);
    print.close();
  };
  try {
    if (standIn === undefined) listening = await listenOnUnix(proxy.server, { unix: path });
    fixture = await openFixture(tracing); // now that nothing is in the way: a failed start replaces no file
    if (standIn !== undefined) {
      if (stands === "in its place") target = { unix: standIn.pluginPath };
      await standIn.enter();
      kept = keepInPlace(standIn, (happened) => stderr.write(`cleat: ${printable(happened, 400)}\n`));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const address = `unix://${path}`;
  context.stdout.write(`${introduction(tracing, address, context).join("\n")}\n`);
  await closeOnSignals({ close }, { signals: closingSignals });
}

function introduction(tracing: Tracing, address: string, context: CommandContext): string[] {
  const { plugin, name, path, json, stands } = tracing;
  const target = formatAddress(plugin.address);
  if (json) return [printableJson({ plugin: plugin.name, target, name, address, stands })];
  const traced = `Cleat traces "${printable(plugin.name)}" at ${printable(target)}`;
  if (stands === "in its place") {
    return [
      `${traced}, in its place: engines call it as before`,
      "  not seen  calls on connections that an engine has open; start the engine or the plugin anew to see all",
      "  at end    the plugin's socket is put back, also when the trace is killed",
    ];
  }
  if (stands === "before its spec file") {
    const isBefore = `where engines look before they read ${printable(plugin.path ?? "")}`;
    return [
      `${traced} as "${name}" at ${printable(address)}, ${isBefore}`,
      "  not seen  calls of engines that know the plugin: they go on calling it directly until they are started anew",
      "  at end    the socket is removed, also when the trace is killed; who found it must look the plugin up anew",
    ];
  }
  const lines = [`${traced} as "${name}" at ${printable(address)}`];
  const isFound = pluginLocations(context).sockets.includes(dirname(path)) && basename(path) === `${name}.sock`;
  if (!isFound) return [...lines, `  try           npx cleat call ${printable(shellWord(path))} Plugin.Activate`];
  return [
    ...lines,
    `  volumes       docker volume create -d ${name} VOLUME`,
    `  graph driver  dockerd --experimental -s ${name} (another engine, which begins empty: Docker goes by the name)`,
  ];
}

async function openFixture({ plugin, save, replace }: Tracing): Promise<FixtureFile | undefined> {
  if (save === undefined) return undefined;
  const { name, address } = plugin;
  const header = { plugin: name, address: formatAddress(address), recordedAt: new Date().toISOString() };
  return await createFixtureFile(save, header, { replace });
}
