import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";
import {
  type CleatError,
  isSystemError,
  type SystemError,
  toCleatError,
  TransportError,
} from "../../../errors/index.ts";
import type { Candidate } from "./candidates.ts";
import { assertDialable } from "./dialable.ts";
import type { FoundPlugin, UnusablePlugin } from "./found-plugin.ts";
import { identityOf, identityOfSocket } from "./identity.ts";
import { readSpec } from "./read-spec.ts";

/** What became of a look-up. */
export interface LookUp {
  readonly plugin: FoundPlugin | UnusablePlugin | undefined;
  /** Where nothing was found: why some of the paths, which may hold a plugin, could not be looked at. */
  readonly hidden: HiddenPaths | undefined;
}

export interface HiddenPaths {
  /** The best of them. */
  readonly path: string;
  readonly error: CleatError;
}

/**
 * Takes the first candidate at which something stands that may be a plugin, also when it turns out to be of no use: a
 * broken spec must not bring up another plugin of the same name. What is not a socket, and a folder in the place of a
 * spec, are passed over; so is what cannot be seen.
 * @throws RESOURCE_EXHAUSTED when the process may open no more files.
 */
export async function lookUp(name: string, candidates: readonly Candidate[]): Promise<LookUp> {
  const hidden: { path: string; failure: SystemError }[] = [];
  for (const candidate of candidates) {
    const stats = await stat(candidate.path, { bigint: true }).catch((error: unknown) => {
      if (!isSystemError(error)) throw error;
      if (!isNothingThere(error)) hidden.push({ path: candidate.path, failure: error });
    });
    const plugin = stats && (await toPlugin(name, candidate, stats));
    if (plugin !== undefined) return { plugin, hidden: undefined };
  }
  return { plugin: undefined, hidden: describeHidden(name, hidden) };
}

function describeHidden(name: string, hidden: { path: string; failure: SystemError }[]): HiddenPaths | undefined {
  const [best] = hidden;
  if (best === undefined) return undefined;
  const { path, failure } = best;
  const { code } = toCleatError(failure);
  const [reason] = failure.message.split(", "); // the call and the path are told already
  const message = `plugin "${name}" may be there, but "${path}" may not be looked at: ${reason}`;
  const failures = hidden.map((one) => one.failure);
  const cause = new AggregateError(failures, "some of the paths could not be looked at");
  return { path, error: new TransportError(code, message, { reachedPeer: false, cause }) };
}

/** Links that lead nowhere, or round in a circle, are nothing either. */
export function isNothingThere(error: unknown): boolean {
  return isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP");
}

async function toPlugin(
  name: string,
  { kind, path }: Candidate,
  stats: BigIntStats,
): Promise<FoundPlugin | UnusablePlugin | undefined> {
  if (kind === "socket" ? !stats.isSocket() : stats.isDirectory()) return undefined;
  try {
    if (kind === "socket") {
      const address = { unix: path };
      assertDialable(address, `socket "${path}"`);
      return { name, path, address, tls: undefined, identity: identityOfSocket(path, stats) };
    }
    const { address, tls } = await readSpec(kind, path);
    return { name, path, address, tls, identity: await identityOf(address, tls) };
  } catch (error) {
    if (isNothingThere(error)) return undefined; // gone since the stat
    const failure = toCleatError(error, `file "${path}"`);
    if (failure.code === "RESOURCE_EXHAUSTED") throw failure; // the process's fault, not the plugin's
    return { name, path, error: failure };
  }
}
