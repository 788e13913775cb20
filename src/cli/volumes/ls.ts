import { defineCommand } from "../terminal/command.ts";
import { printableJson } from "../terminal/printable.ts";
import { formatTable } from "../terminal/table.ts";
import { toJson, toRow } from "./describe-volume.ts";
import { findVolumes, placeOptions } from "./find-volumes.ts";

export const ls = defineCommand({
  details: [
    "MOUNTS is how many have a volume mounted: containers, for an engine. A driver that does not run is asked in its",
    "folder, with what it had begun finished or undone, as when it starts.",
  ],
  options: {
    ...placeOptions,
    json: { type: "boolean", help: 'print one line of JSON, {"version": 1, "volumes": [...]}' },
  },
  async run({ json, ...place }, _operands, context) {
    await using volumes = await findVolumes(place, context);
    const all = (await volumes.driver.list()).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const rows = all
      .map(toRow)
      .map(({ name, type, mounts, created, mountpoint }) => [name, type, mounts, created, mountpoint]);
    const lines = json
      ? [printableJson({ version: 1, volumes: all.map(toJson) })]
      : formatTable([["NAME", "TYPE", "MOUNTS", "CREATED", "MOUNTPOINT"], ...rows]);
    context.stdout.write(`${lines.join("\n")}\n`);
    return "done";
  },
});
