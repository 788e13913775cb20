import { tmpdir } from "node:os";
import { isAbsolute } from "node:path";
import type { RequestFacts } from "../../authz/index.ts";
import { type CheckResult, requestFacts } from "../../testing/index.ts";
import { activate, formatAddress } from "../../transport/index.ts";
import { findPlugin, type NamedPlugin, openTransport } from "../plugins/find-plugin.ts";
import { type CommandContext, defineCommand, UsageError } from "../terminal/command.ts";
import { quote } from "../terminal/command-line.ts";
import { parseSeconds } from "../terminal/seconds.ts";
import { writeWhole } from "../terminal/write-whole.ts";
import { type Chosen, chooseChecks, pickSubsystems } from "./check/choose-checks.ts";
import { isFailure } from "./check/explain.ts";
import { formatJunit } from "./check/junit.ts";
import { kitsFor } from "./check/kits.ts";
import { splitWords } from "./check/split-words.ts";
import { type StartedPlugin, startPlugin } from "./check/started-plugin.ts";
import { tapHead, tapResult, tapSummary } from "./check/tap.ts";
import { untilSignal } from "./check/until-signal.ts";

export const check = defineCommand({
  details: [
    "NAME  a plugin's name, the path of its socket, or unix:///PATH, tcp://HOST:PORT or https://HOST:PORT",
    "",
    "Checks a plugin in any language: what the table of each of its protocols says, what its contract promises, and",
    "what each engine really sends. Results are TAP; each that fails says where the check comes from and what an",
    "engine's user would see. Advice that is not followed is TODO, and no failure. The exit code is 5 where a check",
    "failed.",
    "",
    "Volumes named cleat-check-…, networks and pools of addresses are made, and removed after each check;",
    "--safe leaves those checks out. Layers of a graph driver are checked with --subsystem GraphDriver only, as",
    "root, while no engine uses it.",
    "",
    "With --restart the plugin is started by that command, which must listen where NAME says, and is killed by SIGKILL",
    "between any two calls:",
    "  cleat check $PWD/mine.sock --restart 'node mine.js'",
  ],
  options: {
    subsystem: {
      type: "string",
      value: "NAME",
      multiple: true,
      help: "only what it implements of these: VolumeDriver",
    },
    only: { type: "string", value: "ID", multiple: true, help: "only this check, or all whose ids begin with it" },
    safe: { type: "boolean", help: "only checks that make nothing" },
    known: { type: "string", value: "ID=WHY", multiple: true, help: "a check that is known to fail, and why" },
    opt: {
      type: "string",
      value: "KEY=VALUE",
      multiple: true,
      help: "an option that volumes, networks, pools and logs are made with; of secrets a label of the asking service",
    },
    range: {
      type: "string",
      value: "CIDR",
      help: "what pools of addresses are parts of, of /20 or more; default 198.18.0.0/16",
    },
    denied: {
      type: "string",
      value: "REQUEST",
      help: 'a request that the policy denies: \'POST /containers/create {"HostConfig":{"Privileged":true}}\'',
    },
    secret: { type: "string", value: "NAME", help: "a secret that the provider has" },
    "metrics-socket": {
      type: "string",
      value: "PATH",
      help: "where the collector looks for Docker's socket; one is put there, and removed",
    },
    "other-files": { type: "boolean", help: "the plugin's paths and links are not those here: look at none" },
    homes: {
      type: "string",
      value: "FOLDER",
      help: "where homes of graph drivers are made; default that for temporary files",
    },
    restart: { type: "string", value: "COMMAND", help: "how the plugin is started; no shell reads it" },
    timeout: {
      type: "string",
      value: "SECONDS",
      help: "how long a call may take; default 5, which is Podman's patience",
    },
    junit: { type: "string", value: "FILE", help: "write the results there as well, as JUnit's XML" },
  },
  async run(values, [name = ""], context) {
    const command = values.restart === undefined ? undefined : splitWords("restart", values.restart);
    const callTimeoutMs = values.timeout === undefined ? undefined : parseSeconds("timeout", values.timeout);
    const [options, known] = [readPairs("opt", values.opt), readPairs("known", values.known)];
    const denied = values.denied === undefined ? undefined : parseDenied(values.denied);
    const homes = values.homes ?? tmpdir();
    if (!isAbsolute(homes)) throw new UsageError(`--homes takes an absolute path, not ${quote(homes)}`);
    return await untilSignal(context, async (onStart) => {
      await using started = command && (await startFor(command, name, context));
      if (started !== undefined) onStart(started);
      const { plugin, implemented } = await activatePlugin(name, context);
      const subsystems = pickSubsystems(implemented, values.subsystem);
      const kits = kitsFor(subsystems, values.subsystem ?? []);
      const asked = { only: values.only, isSafe: values.safe === true, known: Object.keys(known) };
      const chosen = chooseChecks(kits, asked);
      context.stdout.write(headOf(chosen, plugin, implemented));
      const results: CheckResult[] = [];
      const onResult = (result: CheckResult) => {
        results.push(result);
        context.stdout.write(tapResult(results.length, result));
      };
      const { range, secret, "metrics-socket": metricsSocket } = values;
      const seesFiles = values["other-files"] !== true;
      const { killAndRestart } = started ?? {};
      const shared = { plugin, callTimeoutMs, options, homes, range, denied, secret, metricsSocket, seesFiles };
      for (const { kit, ids } of chosen) {
        const expectedFailures = Object.fromEntries(Object.entries(known).filter(([id]) => ids.includes(id)));
        await kit.run({ ...shared, killAndRestart, onResult, only: ids, expectedFailures });
      }
      context.stdout.write(tapSummary(results));
      if (values.junit !== undefined) await writeWhole(values.junit, formatJunit(plugin.name, results));
      return results.some(isFailure) ? "findings" : "done";
    });
  },
});

function headOf(chosen: readonly Chosen[], plugin: NamedPlugin, implemented: readonly string[]): string {
  const { name, address } = plugin;
  const comments = [
    `plugin ${JSON.stringify(name)} at ${formatAddress(address)} implements ${implemented.join(", ")}`,
    ...chosen.flatMap(({ kit: { makes } }) => (makes === undefined ? [] : [`makes and removes ${makes}`])),
  ];
  return tapHead(chosen.flatMap(({ ids }) => ids).length, comments);
}

async function activatePlugin(name: string, context: CommandContext) {
  const plugin = await findPlugin(name, context);
  const transport = openTransport(plugin, context);
  try {
    return { plugin, implemented: await activate(transport, plugin.name) };
  } finally {
    await transport.close();
  }
}

/** Its output goes to stderr: stdout is the results'. */
function startFor(
  command: readonly [string, ...string[]],
  name: string,
  context: CommandContext,
): Promise<StartedPlugin> {
  const answers = () => activatePlugin(name, context);
  return startPlugin({
    command,
    address: name,
    answers,
    patienceMs: 30_000,
    onOutput: (text) => void context.stderr.write(text),
  });
}

/** "METHOD URI [BODY]" @throws UsageError when it is not. */
function parseDenied(text: string): RequestFacts {
  const [, method = "", uri = "", body] = /^([A-Z]+) (\/\S*)(?: (.+))?$/s.exec(text) ?? [];
  if (method === "") throw new UsageError(`--denied takes "METHOD /PATH [BODY]", not ${quote(text)}`);
  return requestFacts(method, uri, body);
}

function readPairs(option: string, texts: readonly string[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw new UsageError(`--${option} takes NAME=VALUE, not ${quote(text)}`);
    }),
  );
}
