import type { CleatError } from "../../../errors/index.ts";
import type { Address, TlsClientOptions } from "../../../transport/index.ts";

/** A plugin as the file system tells of it; nobody has spoken with it yet. */
export interface FoundPlugin {
  readonly name: string;
  /** What told of it: a socket, or a spec file. */
  readonly path: string;
  readonly address: Address;
  /** Of `https` addresses, its files read. */
  readonly tls: TlsClientOptions | undefined;
  /**
   * Another value when somebody else may answer: another socket stands at the address (device, inode, time of birth),
   * or address or trust have changed. For comparing only.
   */
  readonly identity: string;
}

/** A file that looks like a plugin's but cannot be used: an unreadable spec, one half written. */
export interface UnusablePlugin {
  readonly name: string;
  readonly path: string;
  readonly error: CleatError;
}

/** What happened to a plugin's files. `plugin` is what is found by that name now. */
export type PluginChange =
  | { readonly kind: "appeared" | "changed"; readonly name: string; readonly plugin: FoundPlugin | UnusablePlugin }
  | { readonly kind: "disappeared"; readonly name: string; readonly plugin?: undefined };
