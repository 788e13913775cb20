import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isSystemError } from "../../errors/index.ts";
import { type CallOptions, decodeGoJson, encodeValue, loadProtocol, type Method } from "../../protocol/index.ts";
import { createClient } from "../../transport/index.ts";
import { type CommandContext, defineCommand, orUsageError, UsageError } from "../terminal/command.ts";
import { quote, suggest } from "../terminal/command-line.ts";
import type { Outcome } from "../terminal/exit-codes.ts";
import { findPlugin, openTransport } from "./find-plugin.ts";
import { findNearest } from "../terminal/nearest.ts";
import { printableJson } from "../terminal/printable.ts";
import { parseSeconds } from "../terminal/seconds.ts";
import { waitForPlugin } from "./wait-for-plugin.ts";

export const call = defineCommand({
  details: [
    "NAME    a plugin's name, the path of its socket, or unix:///PATH, tcp://HOST:PORT or https://HOST:PORT",
    "METHOD  as on the wire: GraphDriver.Status",
    "JSON    the arguments, in the wire's spelling; default {}",
    "",
    "A diff goes to stdout as a tar archive; ApplyDiff reads one from stdin:",
    `  cleat call cleat GraphDriver.Diff '{"ID":"x"}' > x.tar`,
    `  cleat call cleat GraphDriver.ApplyDiff '{"id":"y","parent":"x"}' < y.tar`,
  ],
  furtherHelp: async () => ["", "Methods:", ...(await namesOfMethods()).map((name) => `  ${name}`)],
  options: {
    timeout: { type: "string", value: "SECONDS", help: "give up after this time; default each method's own" },
    wait: { type: "string", value: "SECONDS", help: "how long to wait for a plugin that is not there yet; default 0" },
    json: { type: "boolean", help: "print the answer on one line" },
  },
  async run({ timeout, wait, json }, operands, context) {
    const [name = "", methodName = "", text = "{}"] = operands;
    const { protocol, key, method } = await findMethod(methodName);
    const request = parseArguments(method, text);
    const callOptions = { ...(timeout !== undefined && { timeoutMs: parseSeconds("timeout", timeout) }) };
    if (wait !== undefined) await waitForPlugin(name, protocol, parseSeconds("wait", wait, "none"), context);
    const plugin = await findPlugin(name, context);
    const transport = openTransport(plugin, context);
    try {
      const client = createClient(protocol, transport, { plugin: plugin.name });
      const send = client[key] as unknown as Send;
      return await exchange(method, (body) => send(request, { ...callOptions, ...body }), json === true, context);
    } finally {
      await transport.close();
    }
  },
});

type Send = (request: unknown, options: CallOptions & { body?: Readable }) => Promise<unknown>;

async function exchange(
  method: Method,
  send: (body: { body?: Readable }) => Promise<unknown>,
  onOneLine: boolean,
  { stdin, stdout }: CommandContext,
): Promise<Outcome> {
  if (method.framing === "upload" && stdin.isTTY)
    throw new UsageError(`${nameOf(method)} reads a tar archive from stdin`);
  if (method.framing === "download" && stdout.isTTY) {
    throw new UsageError(`${nameOf(method)} answers a tar archive; send stdout to a file or a command`);
  }
  const answer = await send(method.framing === "upload" ? { body: stdin } : {});
  if (method.framing === "download") {
    await pipeline(answer as Readable, stdout, { end: false }).catch((error: unknown) => {
      if (!isSystemError(error, "EPIPE")) throw error; // its reader has what it wanted
    });
    return "done";
  }
  const shown = encodeValue(method.response, answer, `answer of ${method.path}`);
  stdout.write(`${printableJson(shown, onOneLine ? 0 : 2)}\n`);
  return "done";
}

/** Loads the one protocol that has it: the schemas of all take longer than the call. */
async function findMethod(text: string) {
  const name = text.replace(/^\//, "");
  const [owner = ""] = name.split(".", 1);
  const protocol = await loadProtocol(owner);
  for (const [key, method] of Object.entries(protocol?.methods ?? {})) {
    if (protocol !== undefined && nameOf(method) === name) return { protocol, key, method };
  }
  throw new UsageError(`there is no method ${quote(text)}${suggest(findNearest(text, await namesOfMethods()))}`);
}

async function namesOfMethods(): Promise<readonly string[]> {
  const { protocols } = await import("../../protocol/index.ts");
  return protocols.flatMap(({ methods }) => Object.values(methods).map(nameOf));
}

function parseArguments(method: Method, text: string): unknown {
  const subject = `JSON for ${nameOf(method)}`;
  return orUsageError(() => decodeGoJson(method.request, Buffer.from(text), subject, "INVALID_ARGUMENT"));
}

function nameOf({ path }: Method): string {
  return path.slice(1);
}
