import { stat } from "node:fs/promises";
import { toCleatError } from "../../errors/index.ts";
import { type CallOptions, loadProtocol, pluginProtocol } from "../../protocol/index.ts";
import { formatAddress } from "../../transport/index.ts";
import { askCapabilities } from "./ask-capabilities.ts";
import { type CommandContext, defineCommand } from "../terminal/command.ts";
import { discover, findPlugin, type NamedPlugin, openTransport, parsePlace } from "./find-plugin.ts";
import { formatInspection, type InspectedPath, type Inspection } from "./inspection.ts";
import { printableJson } from "../terminal/printable.ts";
import { probePlugin } from "./probe-plugin.ts";
import { parseSeconds } from "../terminal/seconds.ts";
import { describeTrust } from "./trust.ts";

export const inspect = defineCommand({
  details: [
    "NAME  a plugin's name, the path of its socket, or unix:///PATH, tcp://HOST:PORT or https://HOST:PORT",
    "",
    "Of a plugin that does not answer, what its files tell is printed; the exit code is 3 then.",
  ],
  options: {
    timeout: { type: "string", value: "SECONDS", help: "how long each answer may take; default each method's own" },
    json: { type: "boolean", help: "print one line of JSON" },
  },
  async run({ timeout, json }, [text = ""], context) {
    const timeoutMs = timeout === undefined ? undefined : parseSeconds("timeout", timeout);
    const inspection = await inspectPlugin(text, { timeoutMs }, context);
    const shown = json === true ? printableJson(inspection) : formatInspection(inspection).join("\n");
    context.stdout.write(`${shown}\n`);
    return inspection.state === "ok" ? "done" : "unreachable";
  },
});

async function inspectPlugin(text: string, call: CallOptions, context: CommandContext): Promise<Inspection> {
  const plugin = await findPlugin(text, context);
  const transport = openTransport(plugin, context);
  try {
    const probe = await probePlugin(transport, plugin.name, call.timeoutMs);
    const announced = await Promise.all((probe.implements ?? []).map((name) => loadProtocol(name)));
    const spoken = [...new Set(announced)].filter((protocol) => protocol !== undefined);
    return {
      name: plugin.name,
      address: formatAddress(plugin.address),
      paths: await pathsTo(plugin, text, context),
      trust: describeTrust(plugin),
      state: probe.state,
      reason: probe.reason,
      latencyMs: probe.latencyMs,
      implements: probe.implements,
      capabilities: await askCapabilities(spoken, transport, plugin.name, call),
      deadlinesMs: Object.fromEntries(
        [pluginProtocol, ...spoken]
          .flatMap(({ methods }) => Object.values(methods))
          .map(({ path, timeoutMs }) => [path.slice(1), call.timeoutMs ?? timeoutMs]),
      ),
    };
  } finally {
    await transport.close();
  }
}

async function pathsTo({ path: found }: NamedPlugin, text: string, context: CommandContext): Promise<InspectedPath[]> {
  if (parsePlace(text) !== undefined) return [];
  const paths = (await discover(context)).pathsOf(text);
  const at = paths.indexOf(found ?? "");
  return await Promise.all(
    paths.map(async (path, index) => ({
      path,
      outcome: index < at ? await whyNot(path) : index === at ? "found" : "not looked at",
    })),
  );
}

/** Why a path before the one that was found was passed over. */
async function whyNot(path: string): Promise<InspectedPath["outcome"]> {
  try {
    await stat(path);
    return "of no use";
  } catch (error) {
    return toCleatError(error).code === "PERMISSION_DENIED" ? "forbidden" : "not there";
  }
}
