/** Reads the changes that a watch tells, with a deadline for each. */
import { expect } from "vitest";
import { createDiscovery } from "../discovery.ts";
import { locations, root } from "../discovery.test.support.ts";
import type { PluginChange } from "../look-up/found-plugin.ts";

export interface Watching extends AsyncDisposable {
  /** "appeared p run/p.sock", "disappeared p", "changed p INVALID_ARGUMENT" */
  next(): Promise<string>;
  /** Reads until what is known equals `expected`, by name: a path below the root, or an error's code. */
  until(expected: Record<string, string>): Promise<void>;
}

export function startWatch(discovery = createDiscovery(locations)): Watching {
  const iterator = discovery.watch()[Symbol.asyncIterator]();
  const known: Record<string, string> = {};

  const next = async () => {
    const { value: change } = await withDeadline(
      iterator.next(),
      () => `the next change after ${JSON.stringify(known)}`,
    );
    if (change === undefined) throw new Error("the watch has ended");
    expect(change.name in known).toBe(change.kind !== "appeared");
    if (change.kind === "disappeared") delete known[change.name];
    else known[change.name] = placeOf(change.plugin);
    return [change.kind, change.name, known[change.name]].filter((word) => word !== undefined).join(" ");
  };
  return {
    next,
    async until(expected) {
      for (let changes = 0; changes < 10_000; changes++) {
        if (JSON.stringify(Object.entries(known).toSorted()) === JSON.stringify(Object.entries(expected).toSorted()))
          return;
        await next();
      }
      throw new Error("never came to rest");
    },
    async [Symbol.asyncDispose]() {
      await iterator.return?.();
    },
  };
}

export async function withDeadline<T>(promise: Promise<T>, what: () => string): Promise<T> {
  const signal = AbortSignal.timeout(5_000);
  return await new Promise<T>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error(`waited in vain for ${what()}`)));
    promise.then(resolve, reject);
  });
}

function placeOf(plugin: NonNullable<PluginChange["plugin"]>): string {
  return "error" in plugin ? plugin.error.code : plugin.path.slice(root.length + 1);
}
