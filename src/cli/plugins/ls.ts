import { CleatError } from "../../errors/index.ts";
import type { FoundPlugin, UnusablePlugin } from "../../host/index.ts";
import { formatAddress } from "../../transport/index.ts";
import { type CommandContext, defineCommand } from "../terminal/command.ts";
import { discover, openTransport } from "./find-plugin.ts";
import { printable, printableJson, shellWord } from "../terminal/printable.ts";
import { failedProbe, pluginStates, type Probe, probePlugin } from "./probe-plugin.ts";
import { parseSeconds } from "../terminal/seconds.ts";
import { findStandInAt } from "../stand-in/left-behind.ts";
import { formatTable } from "../terminal/table.ts";

export const ls = defineCommand({
  details: [
    "Looks where the engines of this user do, and asks all plugins at once. Latency is that of the activation. States:",
    "",
    ...formatTable(Object.entries(pluginStates), "  "),
    "",
    "What is not ok is explained on stderr; the exit code is 0 all the same.",
  ],
  options: {
    timeout: { type: "string", value: "SECONDS", help: "how long all of it may take; default 2" },
    subsystem: { type: "string", value: "NAME", help: "only those that implement it: VolumeDriver" },
    json: { type: "boolean", help: "print one line of JSON" },
  },
  async run({ timeout = "2", subsystem, json }, _operands, context) {
    const plugins = await lookAtAll(parseSeconds("timeout", timeout), context);
    const listed = plugins.filter(({ probe }) => subsystem === undefined || probe.implements?.includes(subsystem));
    if (json === true) context.stdout.write(`${printableJson(listed.map(toJson))}\n`);
    else if (listed.length > 0) context.stdout.write(`${formatTable([heading, ...listed.map(toRow)]).join("\n")}\n`);
    for (const plugin of plugins)
      if (plugin.probe.state !== "ok") context.stderr.write(`cleat: ${await explain(plugin)}\n`);
    if (listed.length === 0) context.stderr.write(`cleat: ${explainNone(subsystem)}\n`);
    return "done";
  },
});

interface LookedAt {
  readonly plugin: FoundPlugin | UnusablePlugin;
  readonly probe: Probe;
}

/** All at once; whoever has not answered after `timeoutMs` is silent. */
async function lookAtAll(timeoutMs: number, context: CommandContext): Promise<LookedAt[]> {
  const startedMs = performance.now();
  const discovery = await discover(context);
  const plugins = await within(timeoutMs, discovery.scan());
  const leftMs = Math.max(1, Math.ceil(timeoutMs - (performance.now() - startedMs)));
  return await Promise.all(plugins.map(async (plugin) => ({ plugin, probe: await lookAt(plugin, leftMs, context) })));
}

/** A folder on a file system that hangs is not waited for. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `folders of plugins could not be read within ${timeoutMs} ms`;
    timer = setTimeout(() => reject(new CleatError("DEADLINE_EXCEEDED", message)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function lookAt(
  plugin: FoundPlugin | UnusablePlugin,
  timeoutMs: number,
  context: CommandContext,
): Promise<Probe> {
  if ("error" in plugin) return failedProbe(plugin.error);
  try {
    const transport = openTransport(plugin, context);
    try {
      return await probePlugin(transport, plugin.name, timeoutMs);
    } finally {
      await transport.close();
    }
  } catch (error) {
    return failedProbe(error); // its TLS options are of no use
  }
}

const heading = ["NAME", "ADDRESS", "SUBSYSTEMS", "STATE", "LATENCY"];

function toRow({ plugin, probe }: LookedAt): string[] {
  return [
    plugin.name,
    "error" in plugin ? "-" : printable(formatAddress(plugin.address), 120),
    printable(probe.implements?.join(",") || "-", 60),
    probe.state,
    probe.latencyMs === undefined ? "-" : `${probe.latencyMs.toFixed(1)} ms`,
  ];
}

function toJson({ plugin, probe }: LookedAt): object {
  return {
    name: plugin.name,
    path: plugin.path,
    address: "error" in plugin ? null : formatAddress(plugin.address),
    subsystems: probe.implements ?? null,
    state: probe.state,
    latencyMs: probe.latencyMs === undefined ? null : Math.round(probe.latencyMs * 1000) / 1000,
    reason: probe.reason ?? null,
  };
}

async function explain({ plugin, probe: { state, reason = "" } }: LookedAt): Promise<string> {
  const told = `"${plugin.name}" is ${state}: ${printable(reason, 400)}`;
  if (state !== "dead") return told;
  // then it is as any other
  const isLeftBehind = (await findStandInAt(plugin.path).catch(() => undefined)) !== undefined;
  if (isLeftBehind) return `${told}; a trace in its place was killed: cleat trace ${plugin.name} puts it right`;
  return `${told}; if it will not come back: rm ${shellWord(plugin.path)}`;
}

function explainNone(subsystem: string | undefined): string {
  return subsystem === undefined
    ? 'there are no plugins; "cleat serve all" starts Cleat\'s own'
    : `no plugin is known to implement "${printable(subsystem)}"`;
}
