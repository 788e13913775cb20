import { connect, type NetConnectOpts } from "node:net";
import { isSystemError } from "../errors/index.ts";

/**
 * Whether somebody listens at an address. Only a refusal, or an address that is not there, means that nobody does: a
 * full queue, a lack of permission or silence are signs of somebody.
 */
export function isListening(address: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: 2_000 });
    const settle = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket.once("connect", () => settle(true));
    socket.once("timeout", () => settle(true));
    socket.once("error", (error) => settle(!isSystemError(error, "ECONNREFUSED", "ENOENT")));
  });
}
