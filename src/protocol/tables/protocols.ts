import type { Protocol } from "../definition/define-protocol.ts";
import { authzProtocol } from "./authz.ts";
import { graphDriverProtocol } from "./graph-driver.ts";
import { ipamDriverProtocol } from "./ipam-driver.ts";
import { metricsCollectorProtocol } from "./metrics-collector.ts";
import { networkDriverProtocol } from "./network-driver.ts";
import { logDriverProtocol } from "./log-driver.ts";
import { pluginProtocol } from "./plugin.ts";
import { secretProviderProtocol } from "./secret-provider.ts";
import { volumeDriverProtocol } from "./volume-driver.ts";

/** Every protocol table there is, for what works on all of them: documentation, `cleat call`, tests. */
export const protocols: readonly Protocol[] = [
  pluginProtocol,
  graphDriverProtocol,
  volumeDriverProtocol,
  networkDriverProtocol,
  ipamDriverProtocol,
  secretProviderProtocol,
  metricsCollectorProtocol,
  authzProtocol,
  logDriverProtocol,
];
