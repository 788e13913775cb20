import { resolve } from "node:path";
import { runCommand } from "../../test/harness/processes/command.ts";
import { median, type Measurement } from "../measuring/measure.ts";
import { openMemoryDisk } from "../measuring/memory-disk.ts";

const few = 100;
const many = 10_000;
const callsPerRound = 200;

type CallTimes = Readonly<Record<"open" | "create" | "exists" | "get" | "put" | "remove", number>>;

/**
 * Calls of `overlay2` in process, durability `none`, in a store of many layers beside one of few, in turns, the medians
 * of `rounds`; each round in a store and a process of its own. Takes root.
 */
export async function measureLayerCounts(rounds: number): Promise<readonly Measurement[]> {
  const measured: { readonly few: CallTimes; readonly many: CallTimes }[] = [];
  for (let round = 0; round < rounds; round++) measured.push({ few: await timeIn(few), many: await timeIn(many) });
  const of = (store: "few" | "many", call: keyof CallTimes) => median(measured.map((times) => times[store][call]));
  const title = (call: string) => `${many.toLocaleString("en")} layers: ${call}`;
  return [
    { name: title("open"), unit: "ms", cleat: of("many", "open") / 1000, reference: undefined, limit: { max: 1_000 } },
    ...(["create", "exists", "get", "put", "remove"] as const).map((call) => ({
      name: title(call),
      unit: "µs" as const,
      cleat: of("many", call),
      reference: { name: `${few} layers`, value: of("few", call) },
      goal: 1.15,
    })),
  ];
}

async function timeIn(layers: number): Promise<CallTimes> {
  await using disk = await openMemoryDisk();
  const argv = [process.execPath, resolve("bench/layers/counts.mjs"), `${disk.path}/home`, layers, callsPerRound];
  return JSON.parse(await runCommand(argv.map(String))) as CallTimes;
}
