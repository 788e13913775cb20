/** Docker with networks that two of the examples make, one for links and one for addresses, and what they hold. */
import { readFile } from "node:fs/promises";
import { openEngine, type Engine } from "./engine.ts";
import { startExample } from "./example.ts";
import { shellLayer, writeImageArchive } from "./image-archive.ts";
import type { PluginProcess } from "./plugin-process.ts";
import type { EngineRelease } from "./release.ts";
import { builtinOverlay2, ofRelease } from "./storage.ts";

export interface PluginNetworks extends Engine, AsyncDisposable {
  readonly plugins: Readonly<Record<"bridges" | "ledger", PluginProcess>>;
  /** Links in the engine's network that the plugin made, by kind: bridges, and the hosts' ends of pairs. */
  links(): Promise<Record<"bridges" | "pairs", string[]>>;
  /** What the kernel, and the plugins' own records, hold. */
  held(): Promise<Held>;
}

export interface Held {
  readonly bridges: number;
  readonly pairs: number;
  /** Recorded, by pool: "10.200.0.0/24". */
  readonly addresses: Readonly<Record<string, readonly string[]>>;
  readonly networks: number;
  readonly endpoints: number;
}

export const nothing: Held = { bridges: 0, pairs: 0, addresses: {}, networks: 0, endpoints: 0 };

export async function openPluginNetworks(release: EngineRelease): Promise<PluginNetworks> {
  const engine = await openEngine(ofRelease(release, builtinOverlay2));
  try {
    const { namespace } = engine;
    const [ledgerFile, recordsFile] = [`${namespace.folder}/ledger.json`, `${namespace.folder}/records.json`];
    const start = (name: string, example: string, program: string, file: string) =>
      startExample(namespace, { name, example, program, arguments: [file] });
    const ledger = await start("ledger", "ipam-driver", "ipam.js", ledgerFile);
    const bridges = await start("bridges", "network-driver", "bridge.js", recordsFile);
    const archive = `${namespace.folder}/small.tar`;
    await writeImageArchive(archive, "small", [shellLayer]);
    await engine.docker("load", "--input", archive);

    const links = async () => {
      const names = [...(await namespace.run(["busybox", "ip", "-o", "link"])).matchAll(/^\d+: ([^:@]+)/gm)].map(
        ([, name]) => name as string,
      );
      const ofKind = (prefix: string) => names.filter((name) => name.startsWith(prefix));
      return { bridges: ofKind("cb-"), pairs: [...ofKind("cv-"), ...ofKind("cc-")] };
    };
    const held = async () => {
      const made = await links();
      const pools = Object.values(await readJson<Record<string, Pool>>(ledgerFile));
      const records = await readJson<Record<"networks" | "endpoints", object>>(recordsFile);
      return {
        bridges: made.bridges.length,
        pairs: made.pairs.length,
        addresses: Object.fromEntries(pools.map(({ pool, given }) => [pool, given.toSorted()])),
        networks: Object.keys(records.networks ?? {}).length,
        endpoints: Object.keys(records.endpoints ?? {}).length,
      };
    };
    return { ...engine, plugins: { ledger, bridges }, links, held };
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

interface Pool {
  readonly pool: string;
  readonly given: readonly string[];
}

/** Nothing recorded is nothing held. */
async function readJson<T extends object>(path: string): Promise<Partial<T> & T> {
  const text = await readFile(path, "utf8").catch(() => "{}");
  return JSON.parse(text) as T;
}
