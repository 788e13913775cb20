import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";
import { isSystemError, toCleatError } from "../../errors/index.ts";
import type { Candidate } from "./candidates.ts";
import { assertDialable } from "./dialable.ts";
import type { FoundPlugin, UnusablePlugin } from "./found-plugin.ts";
import { identityOf, identityOfSocket } from "./identity.ts";
import { readSpec } from "./read-spec.ts";

/** What became of a look-up. `hidden` are the failures of looking, of paths that may hold a plugin nobody can see. */
export interface LookUp {
  readonly plugin: FoundPlugin | UnusablePlugin | undefined;
  readonly hidden: readonly Error[];
}

/**
 * Takes the first candidate at which something stands that may be a plugin, also when it turns out to be of no use: a
 * broken spec must not bring up another plugin of the same name. What is no socket, and a folder in the place of a
 * spec, are passed over; so is what cannot be seen.
 * @throws RESOURCE_EXHAUSTED when the process may open no more files.
 */
export async function lookUp(name: string, candidates: readonly Candidate[]): Promise<LookUp> {
  const hidden: Error[] = [];
  for (const candidate of candidates) {
    const stats = await stat(candidate.path, { bigint: true }).catch((error: unknown) => {
      if (!isSystemError(error)) throw error;
      if (!isNothingThere(error)) hidden.push(error);
    });
    const plugin = stats && (await toPlugin(name, candidate, stats));
    if (plugin !== undefined) return { plugin, hidden };
  }
  return { plugin: undefined, hidden };
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
