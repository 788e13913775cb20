import { CleatError } from "../../errors/index.ts";
import { createRegistry, type Discovery } from "../../host/index.ts";
import { pluginNamePattern, type Protocol } from "../../protocol/index.ts";
import { type Address, formatAddress } from "../../transport/index.ts";
import type { CommandContext } from "../terminal/command.ts";
import { discover, nameAt, parsePlace } from "./find-plugin.ts";

/**
 * Waits until the plugin that `text` names answers; whatever it implements, because a call says best what it lacks.
 * @throws what the last try failed with, when that takes longer than `waitMs`.
 */
export async function waitForPlugin(
  text: string,
  protocol: Protocol,
  waitMs: number,
  context: CommandContext,
): Promise<void> {
  const address = parsePlace(text);
  const name = address === undefined ? text : validName(nameAt(address));
  const discovery = address === undefined ? await discover(context) : alwaysAt(address);
  await using registry = createRegistry({ discovery });
  try {
    await registry.get(name, protocol, { waitMs });
  } catch (error) {
    if (!(error instanceof CleatError) || error.code !== "UNIMPLEMENTED") throw error;
  }
}

/** Finds at an address whatever is looked for. */
function alwaysAt(address: Address): Discovery {
  const path = formatAddress(address);
  return {
    locations: { sockets: [], specs: [] },
    pathsOf: () => [path],
    find: async (name) => ({ name, path, address, tls: undefined, identity: path }),
    scan: async () => [],
    async *watch() {},
  };
}

function validName(name: string): string {
  return pluginNamePattern.test(name) ? name : "unnamed";
}
