import { CleatError, RemoteError, SchemaError } from "../../errors/index.ts";
import { announcedName, type CallOptions, pluginProtocol, type Protocol } from "../../protocol/index.ts";
import type { Transport } from "../wire/wire.ts";
import { createClient } from "./client.ts";

/**
 * Asks who is there what it implements, at the deadline of the protocol's table unless `call` says otherwise.
 * @throws FAILED_PRECONDITION when what answers is not a plugin: another status than 200, or no manifest.
 */
export async function activate(transport: Transport, plugin: string, call: CallOptions = {}): Promise<string[]> {
  const client = createClient(pluginProtocol, transport, { plugin });
  try {
    const { Implements } = await client.activate({}, call);
    return Implements;
  } catch (error) {
    const isNoPlugin =
      error instanceof RemoteError ||
      error instanceof SchemaError ||
      (error instanceof CleatError && error.code === "RESOURCE_EXHAUSTED");
    if (!isNoPlugin) throw error;
    const message = `"${plugin}" at ${transport.address} is not a plugin: ${error.message}`;
    throw new CleatError("FAILED_PRECONDITION", message, { cause: error });
  }
}

/** @throws UNIMPLEMENTED when `implemented` lacks the protocol; the message lists what is there. */
export function assertImplements(
  plugin: string,
  implemented: readonly string[],
  protocol: Pick<Protocol, "name" | "implements">,
): void {
  const name = announcedName(protocol);
  if (implemented.includes(name)) return;
  const listed = implemented.join(", ") || "nothing";
  throw new CleatError("UNIMPLEMENTED", `plugin "${plugin}" does not implement ${name}: it implements ${listed}`);
}
