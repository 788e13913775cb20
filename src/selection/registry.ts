import { CleatError } from "../errors/index.ts";
import { btrfs, fuseOverlayfs, overlay2, vfs } from "../drivers/index.ts";
import type { GraphDriverFactory } from "../graphdriver/index.ts";

/**
 * The drivers that may be opened by name or chosen; a value, so that a program can have its own beside or instead of
 * ours.
 */
export interface DriverRegistry {
  /** In the order they were registered. */
  readonly names: readonly string[];
  find(name: string): GraphDriverFactory | undefined;
}

/**
 * @throws ALREADY_EXISTS when two have one name, as moby refuses to register the second. Source: moby v20.10.24
 * `daemon/graphdriver/driver.go` `Register`.
 */
export function createDriverRegistry(factories: readonly GraphDriverFactory[]): DriverRegistry {
  const byName = new Map<string, GraphDriverFactory>();
  for (const factory of factories) {
    if (byName.has(factory.name))
      throw new CleatError("ALREADY_EXISTS", `graph driver "${factory.name}" is registered already`);
    byName.set(factory.name, factory);
  }
  return { names: [...byName.keys()], find: (name) => byName.get(name) };
}

/** Those that Cleat has. */
export const builtInFactories: readonly GraphDriverFactory[] = [overlay2, fuseOverlayfs, btrfs, vfs];
