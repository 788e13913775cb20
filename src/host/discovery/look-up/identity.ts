import { createHash } from "node:crypto";
import { type BigIntStats, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { isSystemError } from "../../../errors/index.ts";
import { type Address, formatAddress, type TlsClientOptions } from "../../../transport/index.ts";
import type { FoundPlugin } from "./found-plugin.ts";

/**
 * What `found.identity` would be if it were found now. Costs one stat (3 µs) for a socket, and nothing for TCP, where
 * only `find` sees a change. It is synchronous because it comes before each call, which a trip through the thread pool
 * would make twice as long; connecting looks the same path up in the same way.
 */
export function currentIdentity({ address, identity }: FoundPlugin): string {
  if (!("unix" in address)) return identity;
  return `${formatAddress(address)} ${orAbsent(() => describe(statSync(address.unix, { bigint: true })))}`;
}

/** `FoundPlugin.identity`. Never rejects: a socket that is not there, or may not be seen, has an identity too. */
export async function identityOf(address: Address, tls: TlsClientOptions | undefined): Promise<string> {
  const place = formatAddress(address);
  if ("unix" in address) return `${place} ${await socketAt(address.unix)}`;
  return tls === undefined ? place : `${place} ${hashOf(tls)}`;
}

/** As `identityOf`, of a socket whose `stat` is known already. */
export function identityOfSocket(path: string, stats: BigIntStats): string {
  return `${formatAddress({ unix: path })} ${describe(stats)}`;
}

async function socketAt(path: string): Promise<string> {
  return stat(path, { bigint: true }).then(describe, describeFailure);
}

function orAbsent(look: () => string): string {
  try {
    return look();
  } catch (error) {
    return describeFailure(error);
  }
}

function describeFailure(error: unknown): string {
  if (isSystemError(error, "ENOENT", "ENOTDIR")) return "absent";
  if (isSystemError(error)) return error.code;
  throw error;
}

/**
 * Numbers of removed inodes are used again at once, so the time of birth counts too; where the file system keeps none
 * (0, says statx(2)), that of the last change of content, which a socket never has. The time of the last change would
 * change with every chmod.
 */
function describe({ dev, ino, birthtimeNs, mtimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${birthtimeNs === 0n ? mtimeNs : birthtimeNs}`;
}

/** The key is in it: the value may be logged, the key may not. */
function hashOf({ ca, cert, key, serverName, insecureSkipVerify }: TlsClientOptions): string {
  const settings = [ca, cert, key, serverName, insecureSkipVerify].map((setting) => setting ?? null);
  return createHash("sha256").update(JSON.stringify(settings)).digest("hex");
}
