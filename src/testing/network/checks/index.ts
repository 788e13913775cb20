import type { NetworkCheck } from "../context.ts";
import { endpointChecks } from "./endpoints.ts";
import { networkChecks } from "./networks.ts";
import { onTheWireChecks } from "./on-the-wire.ts";
import { restartChecks } from "./restarts.ts";

/** All that the contract promises, and what engines do with networks. */
export const networkDriverChecks: readonly NetworkCheck[] = [
  ...networkChecks,
  ...endpointChecks,
  ...onTheWireChecks,
  ...restartChecks,
];
