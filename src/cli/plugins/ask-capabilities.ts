import { CleatError } from "../../errors/index.ts";
import { type CallOptions, type Client, encodeValue, type Protocol } from "../../protocol/index.ts";
import { createClient, type Transport } from "../../transport/index.ts";

/** What a plugin answered, in the wire's spelling; or why it did not. */
export type CapabilitiesAnswer = { readonly answer: unknown } | { readonly error: string };

/** Asks for the capabilities of each protocol that has such a method. Never rejects for a plugin's sake. */
export async function askCapabilities(
  spoken: readonly Protocol[],
  transport: Transport,
  plugin: string,
  call: CallOptions,
): Promise<Readonly<Record<string, CapabilitiesAnswer>>> {
  const asked = spoken.filter(({ methods }) => "capabilities" in methods);
  const answers = asked.map(
    async (protocol) =>
      [protocol.name, await ask(protocol, createClient(protocol, transport, { plugin }), call)] as const,
  );
  return Object.fromEntries(await Promise.all(answers));
}

async function ask({ methods }: Protocol, client: Client<Protocol>, call: CallOptions): Promise<CapabilitiesAnswer> {
  const { capabilities: method } = methods;
  if (method?.framing !== "json") return { error: "the method is not a plain question" };
  const send = client["capabilities"] as (request: unknown, options: CallOptions) => Promise<unknown>;
  try {
    return { answer: encodeValue(method.response, await send({}, call), method.path) };
  } catch (error) {
    if (!(error instanceof CleatError)) throw error;
    return { error: error.code === "UNIMPLEMENTED" ? "not implemented: engines assume the defaults" : error.message };
  }
}
