import { expect, it } from "vitest";
import { createAuthzPlugin } from "../authz/index.ts";
import { createIpamDriverPlugin } from "../ipam/index.ts";
import { createLogDriverPlugin } from "../logdriver/index.ts";
import { createMetricsCollectorPlugin } from "../metrics/index.ts";
import { createNetworkDriverPlugin } from "../network/index.ts";
import { createSecretProviderPlugin } from "../secret/index.ts";
import { createVolumeDriverPlugin } from "../volume/index.ts";

const makers: readonly ((options: never) => unknown)[] = [
  createAuthzPlugin,
  createIpamDriverPlugin,
  createLogDriverPlugin,
  createMetricsCollectorPlugin,
  createNetworkDriverPlugin,
  createSecretProviderPlugin,
  createVolumeDriverPlugin,
];

it.each(makers.map((make) => [make.name, make] as const))("%s says what is missing", (_, make) => {
  for (const options of [undefined, null, {}, { driver: {} }])
    expect(() => make(options as never)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error);
});
