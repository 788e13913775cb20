import { connect, type NetConnectOpts } from "node:net";
import { isSystemError } from "../../errors/index.ts";

/**
 * Whether somebody listens at an address. Only a refusal, or an address that is not there, means that nobody does: a
 * full queue or silence are signs of somebody. "forbidden" is a socket that this user may not open, where nobody can
 * tell.
 */
export function probeListener(address: NetConnectOpts): Promise<"somebody" | "nobody" | "forbidden"> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: 2_000 });
    const settle = (outcome: "somebody" | "nobody" | "forbidden") => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once("connect", () => settle("somebody"));
    socket.once("timeout", () => settle("somebody"));
    socket.once("error", (error) => {
      if (isSystemError(error, "ECONNREFUSED", "ENOENT")) settle("nobody");
      else settle(isSystemError(error, "EACCES", "EPERM") ? "forbidden" : "somebody");
    });
  });
}
