/** Which kits a plugin is checked by, and what each is given. */
import { createGraphDriverFromPlugin } from "../../../graphdriver/index.ts";
import { announcedName, graphDriverProtocol, volumeDriverProtocol } from "../../../protocol/index.ts";
import {
  type Check,
  type CheckResult,
  graphDriverChecks,
  runGraphDriverKit,
  runPluginKit,
  runVolumeDriverKit,
  volumeDriverChecks,
  wireChecksOf,
} from "../../../testing/index.ts";
import { createHttpTransport } from "../../../transport/index.ts";
import type { NamedPlugin } from "../../plugins/find-plugin.ts";

export interface KitRun {
  readonly plugin: NamedPlugin;
  readonly callTimeoutMs: number | undefined;
  readonly volumeOptions: Readonly<Record<string, string>>;
  readonly seesFiles: boolean;
  readonly homes: string;
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

/** Of a plugin that implements that; the graph drivers' own only where they were `asked` for, since it opens a home. */
export function kitsFor(implemented: readonly string[], asked: readonly string[]): readonly Kit[] {
  const isOf = (protocol: { readonly name: string }) => implemented.includes(announcedName(protocol));
  return [
    genericKit(implemented),
    ...(isOf(volumeDriverProtocol) ? [volumeKit] : []),
    ...(isOf(graphDriverProtocol) && asked.includes(graphDriverProtocol.name) ? [graphKit] : []),
  ];
}

function genericKit(implemented: readonly string[]): Kit {
  const checks = wireChecksOf(implemented);
  return {
    checks,
    makes: undefined,
    run: ({ plugin: { address, tls }, ...given }) => runPluginKit({ address, tls, checks, ...shared(given) }),
  };
}

const volumeKit: Kit = {
  checks: volumeDriverChecks,
  makes: "volumes named cleat-check-…",
  run: ({ plugin: { address, tls }, ...given }) =>
    runVolumeDriverKit({
      address,
      tls,
      options: given.volumeOptions,
      seesFiles: given.seesFiles,
      killAndRestart: given.killAndRestart,
      ...shared(given),
    }),
};

const graphKit: Kit = {
  checks: graphDriverChecks.map((check) => ({ makes: "layers in a home of their own", ...check })),
  makes: "homes with layers: no engine may use the plugin meanwhile",
  async run({ plugin: { name, address, tls }, homes, ...given }) {
    const transport = createHttpTransport(address, { ...(tls !== undefined && { tls }) });
    try {
      const { callTimeoutMs: _, ...run } = shared(given);
      return await runGraphDriverKit({
        open: (options) => createGraphDriverFromPlugin(transport, { ...options, name }),
        folder: homes,
        refusals: "text",
        reuse: true,
        ...run,
      });
    } finally {
      await transport.close();
    }
  },
};

function shared({ callTimeoutMs, only, expectedFailures, onResult }: Omit<KitRun, "plugin" | "homes">) {
  return { callTimeoutMs, only, expectedFailures, onResult };
}
