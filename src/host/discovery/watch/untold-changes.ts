import type { FoundPlugin, PluginChange, UnusablePlugin } from "../look-up/found-plugin.ts";

/** What a reader has not been told yet: of each name at most one change, however much has happened. */
export interface UntoldChanges {
  /** These are all that are there now. */
  update(plugins: readonly (FoundPlugin | UnusablePlugin)[]): void;
  /** The change that has waited longest; it counts as told then. */
  take(): PluginChange | undefined;
}

export function createUntoldChanges(): UntoldChanges {
  const told = new Map<string, string>();
  const untold = new Set<string>();
  let present = new Map<string, { readonly plugin: FoundPlugin | UnusablePlugin; readonly print: string }>();
  return {
    update(plugins) {
      present = new Map(plugins.map((plugin) => [plugin.name, { plugin, print: printOf(plugin) }]));
      for (const name of new Set([...present.keys(), ...told.keys()])) {
        if (told.get(name) === present.get(name)?.print) untold.delete(name);
        else untold.add(name);
      }
      for (const name of untold) if (!present.has(name) && !told.has(name)) untold.delete(name);
    },
    take() {
      const [name] = untold;
      if (name === undefined) return undefined;
      untold.delete(name);
      const kind = told.has(name) ? "changed" : "appeared";
      const found = present.get(name);
      if (found === undefined) {
        told.delete(name);
        return { kind: "disappeared", name };
      }
      told.set(name, found.print);
      return { kind, name, plugin: found.plugin };
    },
  };
}

/** Equal when there is nothing to tell. */
function printOf(plugin: FoundPlugin | UnusablePlugin): string {
  const what = "error" in plugin ? [plugin.error.code, plugin.error.message] : [plugin.identity];
  return JSON.stringify([plugin.path, ...what]);
}
