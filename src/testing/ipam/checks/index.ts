import type { IpamCheck } from "../context.ts";
import { addressChecks } from "./addresses.ts";
import { onTheWireChecks } from "./on-the-wire.ts";
import { poolChecks } from "./pools.ts";
import { restartChecks } from "./restarts.ts";

/** All that the contract promises, and what engines do with pools and addresses. */
export const ipamDriverChecks: readonly IpamCheck[] = [
  ...poolChecks,
  ...addressChecks,
  ...onTheWireChecks,
  ...restartChecks,
];
