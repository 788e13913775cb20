/** What the kits for drivers of Docker's protocols have in common: a driver in this process, or one behind a socket. */
import { RemoteError } from "../../errors/index.ts";
import { type Address, createHttpTransport, type TlsClientOptions, type Transport } from "../../transport/index.ts";
import type { Check, CheckResult } from "../check.ts";
import { createWireContext, type WireContext } from "./context.ts";
import type { Refusals } from "../refusals.ts";
import { runChecks } from "../run-checks.ts";
import { createPluginPeer } from "../wire/plugin-peer.ts";

/** How checks are run, whatever they are about. */
export interface KitRunOptions {
  /** Ids of the checks to run; default all. */
  readonly only?: readonly string[] | undefined;
  /** Ids of checks that are known to fail, each with the reason. One that passes all the same fails as stale. */
  readonly expectedFailures?: Readonly<Record<string, string>> | undefined;
  /** How long one check may take; default 60 s. */
  readonly timeoutMs?: number | undefined;
  /** Told each result as it comes. */
  onResult?(result: CheckResult): void;
}

/** Whom the checks are about. */
export type KitSubject<Driver> =
  | {
      /** The driver, for all checks; it is closed in the end. */
      open(): Promise<Driver>;
    }
  | {
      readonly address: Address;
      readonly tls?: TlsClientOptions | undefined;
      /** How long a call may take; default 5 s, which is Podman's patience. */
      readonly callTimeoutMs?: number | undefined;
    };

export interface RestartOptions {
  /** Ends the plugin's process by SIGKILL and starts another, which answers when this resolves. */
  readonly killAndRestart?: (() => Promise<void>) | undefined;
}

export interface OpenedSubject<Driver> extends AsyncDisposable {
  readonly driver: Driver;
  /** The same driver as engines send to it; `undefined` where it is in this process. */
  readonly wire: WireContext | undefined;
}

/** How a driver is reached through a transport. */
export type FromPlugin<Driver> = (
  transport: Transport,
  options: { readonly name: string; readonly timeoutMs: number },
) => Promise<Driver>;

/** @throws what opening the driver, or activating the plugin, throws. */
export async function openSubject<Driver>(
  subject: KitSubject<Driver>,
  fromPlugin: FromPlugin<Driver>,
): Promise<OpenedSubject<Driver>> {
  if ("open" in subject) {
    const driver = await subject.open();
    const { close } = driver as { close?: () => Promise<void> };
    return { driver, wire: undefined, [Symbol.asyncDispose]: async () => close?.call(driver) };
  }
  const { address, tls, callTimeoutMs = 5_000 } = subject;
  const transport = createHttpTransport(address, { ...(tls !== undefined && { tls }) });
  const peer = createPluginPeer(address, tls);
  try {
    return {
      driver: await fromPlugin(transport, { name: transport.address, timeoutMs: callTimeoutMs }),
      wire: createWireContext({ peer, callTimeoutMs, idleMs: 0 }),
      [Symbol.asyncDispose]: () => transport.close(),
    };
  } catch (error) {
    await transport.close();
    throw error;
  }
}

/** Runs checks of one subject, one after another, each with a context of its own. */
export async function runKit<Context extends AsyncDisposable>(
  { only, expectedFailures, timeoutMs, onResult }: KitRunOptions,
  checks: readonly Check<Context>[],
  openContext: () => Promise<Context>,
): Promise<readonly CheckResult[]> {
  return await runChecks({
    only,
    expectedFailures,
    timeoutMs,
    ...(onResult !== undefined && { onResult: (result: CheckResult) => onResult(result) }),
    checks,
    openContext,
  });
}

/** Of a driver by how it refuses what it must: one that is not Cleat's answers text. */
export async function refusalsOf(refused: () => Promise<unknown>): Promise<Refusals> {
  const failure = await refused().catch((error: unknown) => error);
  return failure instanceof RemoteError && failure.code === "UNKNOWN" ? "text" : "coded";
}

/** What checks that need a wire are told of a driver without one. */
const noWire = "the driver is in this process: nothing goes over a wire";
/** What checks that kill the plugin are told where nobody can. */
const noRestart = "nobody said how the plugin is started (--restart)";

/** Reasons that contexts of every kit can be asked for. */
export const needsWire = ({ wire }: { readonly wire: WireContext | undefined }): string | undefined =>
  wire === undefined ? noWire : undefined;

export const needsRestart = ({ killAndRestart }: RestartOptions): string | undefined =>
  killAndRestart === undefined ? noRestart : undefined;

/** Of a check that needs it. */
export function wireOf({ wire }: { readonly wire: WireContext | undefined }): WireContext {
  if (wire === undefined) throw new Error(noWire);
  return wire;
}
