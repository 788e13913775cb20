import { isIP } from "node:net";
import { CleatError, quoteText, toCleatError } from "../../../errors/index.ts";
import type { HelperOptions } from "../../mounting/run-helper.ts";
import { runTool } from "../../mounting/run-tool.ts";

/**
 * The address of a server, as the host's own programs find it (`/etc/hosts`, DNS, …): in a process that can be killed,
 * since a resolver that does not answer would take one of few threads of this one along.
 * @throws UNAVAILABLE when the name has no address, or the resolver does not answer.
 */
export async function hostAddress(name: string, call: Pick<HelperOptions, "signal">): Promise<string> {
  if (isIP(name) !== 0) return name;
  const said = await runTool("lookup", name, call).catch((error: unknown) => {
    call.signal?.throwIfAborted();
    throw noAddress(name, error);
  });
  const [address = ""] = said.split(/\s/, 1);
  if (isIP(address.split("%", 1)[0] ?? "") === 0) throw noAddress(name, new Error(said));
  return address;
}

function noAddress(name: string, cause: unknown): CleatError {
  return new CleatError("UNAVAILABLE", `server ${quoteText(name)} has no address: its name cannot be looked up`, {
    cause: toCleatError(cause),
  });
}
