import { join } from "node:path";
import type { Locations } from "../../../transport/index.ts";

/** A path at which a plugin may be found, and what must stand there. */
export interface Candidate {
  readonly kind: "socket" | "spec" | "json";
  readonly path: string;
}

/** What files of a kind end in. */
export const extensionOf = { socket: ".sock", spec: ".spec", json: ".json" } as const;

/**
 * The candidates for a name, best first. Source: moby v20.10.24 `pkg/plugins/discovery.go`, `localRegistry.Plugin` and
 * `pluginPaths`.
 */
export function candidatesOf({ sockets, specs }: Locations, name: string): Candidate[] {
  const of = (folder: string, kind: Candidate["kind"]) =>
    [folder, join(folder, name)].map((parent) => ({ kind, path: join(parent, name + extensionOf[kind]) }));
  return [
    ...sockets.flatMap((folder) => of(folder, "socket")),
    ...specs.flatMap((folder) => [...of(folder, "spec"), ...of(folder, "json")]),
  ];
}
