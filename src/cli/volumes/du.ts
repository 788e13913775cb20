import { diskUsage, withFolderAt } from "../../layer/index.ts";
import type { Volume, VolumeDriver } from "../../volume/index.ts";
import { formatBytes } from "../stores/format-bytes.ts";
import { defineCommand } from "../terminal/command.ts";
import { printable, printableJson } from "../terminal/printable.ts";
import { formatTable } from "../terminal/table.ts";
import { findVolumes, placeOptions } from "./find-volumes.ts";

export const du = defineCommand({
  details: [
    "What the driver knows is shown; else the files are counted, which reads every folder of a volume whose files are",
    "on this machine's disk now. USED is a dash for one that is not mounted and whose driver does not tell, and for",
    "one of which the driver could not tell, as when its server is gone: cleat volumes inspect NAME shows why.",
  ],
  options: {
    ...placeOptions,
    json: { type: "boolean", help: 'print one line of JSON, {"version": 1, "volumes": [...]}' },
  },
  async run({ json, ...place }, [name], context) {
    await using volumes = await findVolumes(place, context);
    const { driver } = volumes;
    const names = name === undefined ? (await driver.list()).map((one) => one.name).toSorted() : [name];
    const rows = [];
    for (const one of names) rows.push({ name: one, ...(await usageOf(one, driver)) });
    const show = (bytes: number | undefined) => (bytes === undefined ? "-" : formatBytes(bytes));
    const table = rows.map((row) => [printable(row.name), show(row.usedBytes), show(row.sizeBytes)]);
    const lines = json
      ? [printableJson({ version: 1, volumes: rows })]
      : formatTable([["NAME", "USED", "LIMIT"], ...table]);
    context.stdout.write(`${lines.join("\n")}\n`);
    return "done";
  },
});

interface Usage {
  readonly usedBytes: number | undefined;
  readonly sizeBytes: number | undefined;
}

/** What the driver tells, or else what counting the files gives. */
export async function usageOf(name: string, driver: VolumeDriver): Promise<Usage> {
  const { status = {}, mountpoint } = await driver.get(name);
  const number = (key: string) => (typeof status[key] === "number" ? status[key] : undefined);
  // A driver that could not tell says why: its server may be gone, and whoever touches the files would hang.
  const isUnknown = typeof status["Usage"] === "string";
  const count = () => (isUnknown ? undefined : countFiles(mountpoint));
  return { usedBytes: number("UsedBytes") ?? count(), sizeBytes: number("SizeBytes") };
}

function countFiles(mountpoint: Volume["mountpoint"]): number | undefined {
  return mountpoint === undefined ? undefined : withFolderAt(mountpoint, diskUsage).allocatedBytes;
}
