import { stat } from "node:fs/promises";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { assertDialable } from "../discovery/look-up/dialable.ts";
import type { FoundPlugin } from "../discovery/look-up/found-plugin.ts";
import { identityOfSocket } from "../discovery/look-up/identity.ts";
import { isNothingThere } from "../discovery/look-up/look-up.ts";

/**
 * The socket at `path`, with who listens there as far as the file system tells. Costs one stat.
 * @throws NOT_FOUND when nothing is there.
 * @throws INVALID_ARGUMENT when it is not a socket, or its path is too long for one.
 * @throws PERMISSION_DENIED when it may not be seen.
 */
export async function findSocket(name: string, path: string): Promise<FoundPlugin> {
  const address = { unix: path };
  assertDialable(address, `socket "${path}"`);
  const stats = await stat(path, { bigint: true }).catch((error: unknown) => {
    if (!isNothingThere(error)) throw toCleatError(error, `socket "${path}"`);
    throw new CleatError("NOT_FOUND", `socket "${path}" is not there`, { cause: error });
  });
  if (!stats.isSocket()) throw new CleatError("INVALID_ARGUMENT", `path "${path}" is not a socket`);
  return { name, path, address, tls: undefined, identity: identityOfSocket(path, stats) };
}
