/** Docker with networks that two of the examples make, one for links and one for addresses, and what they hold. */
import { cp, rm } from "node:fs/promises";
import { z } from "zod";
import { openStore, type TableSchemas } from "../../../src/state/index.ts";
import { startExample } from "../plugins/example.ts";
import { shellLayer, writeImageArchive } from "../images/image-archive.ts";
import type { PluginProcess } from "../plugins/plugin-process.ts";
import type { EngineRelease } from "../namespaces/release.ts";
import { openEngine, type Engine } from "./engine.ts";
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
    const folderOf = (name: string) => `${namespace.folder}/records-of-${name}`;
    const start = (name: string, example: string, program: string) =>
      startExample(namespace, { name, example, program, arguments: [folderOf(name)] });
    const ledger = await start("ledger", "ipam-driver", "ipam.js");
    const bridges = await start("bridges", "network-driver", "bridge.js");
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
      const { pools } = await readRecords(folderOf("ledger"), ledgerTables);
      const { networks, endpoints } = await readRecords(folderOf("bridges"), bridgeTables);
      return {
        bridges: made.bridges.length,
        pairs: made.pairs.length,
        addresses: Object.fromEntries(pools.map(({ range, given }) => [range, given.toSorted()])),
        networks: networks.length,
        endpoints: endpoints.length,
      };
    };
    return { ...engine, plugins: { ledger, bridges }, links, held };
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

const ledgerTables = { pools: z.object({ range: z.string(), given: z.array(z.string()) }) };
const bridgeTables = { networks: z.unknown(), endpoints: z.unknown() };

/** What a store holds on the disk, by table; it may be open elsewhere. */
async function readRecords<const Schemas extends TableSchemas>(folder: string, tables: Schemas) {
  const copy = `${folder}.copy`;
  await cp(folder, copy, { recursive: true });
  try {
    await using store = await openStore({ folder: copy, tables });
    const records = Object.entries(store.tables).map(([name, table]) => [
      name,
      [...table.entries()].map(([, it]) => it),
    ]);
    return Object.fromEntries(records) as { readonly [Name in keyof Schemas]: z.output<Schemas[Name]>[] };
  } finally {
    await rm(copy, { recursive: true });
  }
}
