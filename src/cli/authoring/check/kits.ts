/** Which kits a plugin is checked by, and what each is given. */
import type { RequestFacts } from "../../../authz/index.ts";
import { createGraphDriverFromPlugin } from "../../../graphdriver/index.ts";
import {
  announcedName,
  authzProtocol,
  graphDriverProtocol,
  ipamDriverProtocol,
  logDriverProtocol,
  metricsCollectorProtocol,
  networkDriverProtocol,
  type Protocol,
  secretProviderProtocol,
  volumeDriverProtocol,
} from "../../../protocol/index.ts";
import {
  authzChecks,
  type Check,
  type CheckResult,
  graphDriverChecks,
  ipamDriverChecks,
  layerWireChecks,
  logDriverChecks,
  metricsCollectorChecks,
  networkDriverChecks,
  runAuthzKit,
  runGraphDriverKit,
  runIpamDriverKit,
  runLayerWireKit,
  runLogDriverKit,
  runMetricsCollectorKit,
  runNetworkDriverKit,
  runPluginKit,
  runSecretProviderKit,
  runVolumeDriverKit,
  secretProviderChecks,
  volumeDriverChecks,
  wireChecksOf,
} from "../../../testing/index.ts";
import { createHttpTransport } from "../../../transport/index.ts";
import type { NamedPlugin } from "../../plugins/find-plugin.ts";

export interface KitRun {
  readonly plugin: NamedPlugin;
  readonly callTimeoutMs: number | undefined;
  /** What volumes, networks, pools and logs are made with; of secrets the labels of the service that asks. */
  readonly options: Readonly<Record<string, string>>;
  readonly seesFiles: boolean;
  readonly homes: string;
  readonly range: string | undefined;
  readonly denied: RequestFacts | undefined;
  readonly secret: string | undefined;
  readonly metricsSocket: string | undefined;
  readonly killAndRestart: (() => Promise<void>) | undefined;
  readonly only: readonly string[];
  readonly expectedFailures: Readonly<Record<string, string>>;
  onResult(result: CheckResult): void;
}

type Listed = Omit<Check<never>, "run" | "needs">;

export interface Kit {
  readonly checks: readonly Listed[];
  /** What is made by it, for a sentence. */
  readonly makes: string | undefined;
  run(given: KitRun): Promise<readonly CheckResult[]>;
}

type Subject = Pick<KitRun, "callTimeoutMs" | "only" | "expectedFailures" | "killAndRestart" | "onResult"> & {
  readonly address: NamedPlugin["address"];
  readonly tls: NamedPlugin["tls"];
};

/** A kit whose options are the subject and something of its own. */
function driverKit(
  checks: readonly Listed[],
  makes: string | undefined,
  run: (subject: Subject, given: KitRun) => Promise<readonly CheckResult[]>,
): Kit {
  return {
    checks,
    makes,
    run(given) {
      const { plugin, callTimeoutMs, only, expectedFailures, killAndRestart, onResult } = given;
      const { address, tls } = plugin;
      return run({ address, tls, callTimeoutMs, only, expectedFailures, killAndRestart, onResult }, given);
    },
  };
}

const graphKit = driverKit(
  graphDriverChecks.map((check) => ({ makes: "layers in a home of their own", ...check })),
  "homes with layers: no engine may use the plugin meanwhile",
  async ({ address, tls, only, expectedFailures, onResult }, { plugin: { name }, homes }) => {
    const transport = createHttpTransport(address, { ...(tls !== undefined && { tls }) });
    try {
      return await runGraphDriverKit({
        open: (options) => createGraphDriverFromPlugin(transport, { ...options, name }),
        folder: homes,
        refusals: "text",
        reuse: true,
        only,
        expectedFailures,
        onResult,
      });
    } finally {
      await transport.close();
    }
  },
);

/** What a plugin is checked by beside its tables. */
const kits: readonly (readonly [Protocol, Kit])[] = [
  [
    volumeDriverProtocol,
    driverKit(volumeDriverChecks, "volumes named cleat-check-…", (subject, { options, seesFiles }) =>
      runVolumeDriverKit({ ...subject, options, seesFiles }),
    ),
  ],
  [
    networkDriverProtocol,
    driverKit(
      networkDriverChecks,
      "networks, with whatever links they have",
      (subject, { options, seesFiles, range }) =>
        runNetworkDriverKit({ ...subject, options, seesLinks: seesFiles, range }),
    ),
  ],
  [
    ipamDriverProtocol,
    driverKit(ipamDriverChecks, "pools of addresses", (subject, { options, range }) =>
      runIpamDriverKit({ ...subject, options, range }),
    ),
  ],
  [authzProtocol, driverKit(authzChecks, undefined, (subject, { denied }) => runAuthzKit({ ...subject, denied }))],
  [
    logDriverProtocol,
    driverKit(logDriverChecks, "logs of containers that there are not, which stay", (subject, { options }) =>
      runLogDriverKit({ ...subject, options }),
    ),
  ],
  [
    secretProviderProtocol,
    driverKit(secretProviderChecks, undefined, (subject, { options, secret }) =>
      runSecretProviderKit({
        ...subject,
        known: secret === undefined ? undefined : { name: secret, serviceLabels: options },
      }),
    ),
  ],
  [
    metricsCollectorProtocol,
    driverKit(metricsCollectorChecks, undefined, (subject, { metricsSocket: socket }) =>
      runMetricsCollectorKit({ ...subject, socket }),
    ),
  ],
  [
    graphDriverProtocol,
    driverKit(layerWireChecks, undefined, (subject, { homes: folder }) => runLayerWireKit({ ...subject, folder })),
  ],
  [graphDriverProtocol, graphKit],
];

/** Of a plugin that implements that; the graph drivers' own only where they were `asked` for, since it opens a home. */
export function kitsFor(implemented: readonly string[], asked: readonly string[]): readonly Kit[] {
  const chosen = kits.filter(
    ([protocol]) =>
      implemented.includes(announcedName(protocol)) &&
      (protocol !== graphDriverProtocol || asked.includes(protocol.name)),
  );
  return [genericKit(implemented), ...chosen.map(([, kit]) => kit)];
}

function genericKit(implemented: readonly string[]): Kit {
  const checks = wireChecksOf(implemented);
  return driverKit(checks, undefined, (subject) => runPluginKit({ ...subject, checks }));
}
