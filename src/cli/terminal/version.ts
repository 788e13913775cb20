import { createRequire } from "node:module";

/** Of this package, wherever this file has been put by the build. */
export function readVersion(): string {
  return (createRequire(import.meta.url)("cleat/package.json") as { version: string }).version;
}
