import { CleatError } from "../../errors/index.ts";
import { findInheritedSocket, formatAddress } from "../../transport/index.ts";
import type { Listen } from "./listen.ts";
import { probeListener } from "./probe-listener.ts";
import { assertSpecReplaceable } from "./spec-file.ts";
import { defaultSpecDirectory } from "./tcp-listener.ts";
import { assertSocketFree, socketOfPlugin } from "./unix-listener.ts";

/**
 * Whether `serve` could listen there now, without making anything: for whoever has to touch something of a plugin's
 * before it is served, which is another one's where that one runs. Who starts at the same moment is told by `serve`
 * alone.
 * @throws FAILED_PRECONDITION, as `serve` does, when the address is taken, or no socket was passed.
 * @throws INVALID_ARGUMENT when a socket cannot have the path.
 */
export async function assertAddressFree(listen: Listen): Promise<void> {
  if (typeof listen === "string") return assertSocketFree(socketOfPlugin(listen).unix);
  if ("systemd" in listen) return void findInheritedSocket(listen.systemd === true ? undefined : listen.systemd);
  if ("unix" in listen) return assertSocketFree(listen.unix);
  const format = "tls" in listen ? "json" : "spec";
  await assertSpecReplaceable(listen.specDirectory ?? defaultSpecDirectory, listen.name, format);
  const { host, port } = "tls" in listen ? listen.tls : listen.tcp;
  if (port === 0 || (await probeListener({ host, port })) === "nobody") return;
  const address = formatAddress("tls" in listen ? { https: { host, port } } : { tcp: { host, port } });
  throw new CleatError("FAILED_PRECONDITION", `plugin "${listen.name}": another process listens on ${address}`);
}
