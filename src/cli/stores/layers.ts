import type { LayerStore, StoreDescription } from "../../layerstore/index.ts";
import type { DiskUsage } from "../../layer/index.ts";
import { defineCommand, UsageError } from "../terminal/command.ts";
import { type StoreReport, toJson } from "./layers-report.ts";
import { formatStore } from "./layers-table.ts";
import { drawStores } from "./layers-svg.ts";
import { printableJson } from "../terminal/printable.ts";
import { storeOptions, visitStores } from "./store-options.ts";
import { writeWhole } from "../terminal/write-whole.ts";

export const layers = defineCommand({
  details: [
    "HOME is a driver's home or a folder of some, as /var/lib/docker; default are Cleat's own, and those that engines",
    "gave it. Nothing is locked or changed, and the store may be in use, by Cleat or by Docker's own driver.",
    "",
    "A layer lies on the one above it in its column: ● begins a column, │ goes on in it. Names are the engine's. A",
    "layer is orphaned when what it lies on is gone, or the engine beside the store does not know it; an engine that",
    "is pulling or building may have some that it does not know yet. One that is unreadable may be whole: the disk",
    "does not give it now. A misfit's records contradict those of other layers.",
    "",
    "--du reads every folder of every layer. SIZE are the lengths of files, ON DISK the blocks they take; hard links",
    "count once. With vfs and btrfs a layer holds all that is below it too.",
  ],
  options: {
    ...storeOptions,
    du: { type: "boolean", help: "count what each layer takes of the disk" },
    "no-trunc": { type: "boolean", help: "show whole ids, and where layers are mounted" },
    json: { type: "boolean", help: 'print one line of JSON, {"version": 1, "stores": [...]}' },
    svg: { type: "string", value: "FILE", help: "draw the trees into FILE as well" },
  },
  async run(values, operands, context) {
    if (values.svg === "") throw new UsageError('--svg takes a FILE, not ""');
    const reports: StoreReport[] = [];
    const isComplete = await visitStores("layers", operands, values, context, async (store) => {
      const description = await store.describe();
      reports.push({ store: description, usage: values.du === true ? await countAll(store, description) : undefined });
    });
    if (values.svg !== undefined) await writeWhole(values.svg, drawStores(reports));
    const text =
      values.json === true ? printableJson(toJson(reports)) : formatAll(reports, values["no-trunc"] !== true);
    if (text !== "") context.stdout.write(`${text}\n`);
    return isComplete ? "done" : "failed";
  },
});

function formatAll(reports: readonly StoreReport[], truncate: boolean): string {
  return reports.map((report) => formatStore(report, truncate).join("\n")).join("\n\n");
}

/** All at once: the store's threads take them one by one. Layers that are gone meanwhile are left out. */
async function countAll(store: LayerStore, { layers: all }: StoreDescription): Promise<Map<string, DiskUsage>> {
  const counted = await Promise.all(all.map(async ({ id }) => [id, await store.usage(id)] as const));
  return new Map(counted.filter((row): row is [string, DiskUsage] => row[1] !== undefined));
}
