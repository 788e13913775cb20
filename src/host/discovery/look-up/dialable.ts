import { CleatError } from "../../../errors/index.ts";
import { type Address, socketPathExcess } from "../../../transport/index.ts";

/**
 * Refuses what would be cut off on its way to the kernel, so that another socket would be dialled; `subject` begins the
 * message.
 * @throws INVALID_ARGUMENT when a socket's path is too long, or has a NUL in it.
 */
export function assertDialable(address: Address, subject: string): void {
  if (!("unix" in address)) return;
  const excess = socketPathExcess(address.unix);
  if (excess > 0) {
    throw new CleatError("INVALID_ARGUMENT", `${subject}: socket path is ${excess} bytes too long for the kernel`);
  }
  if (address.unix.includes("\0")) throw new CleatError("INVALID_ARGUMENT", `${subject}: socket path has a NUL in it`);
}
