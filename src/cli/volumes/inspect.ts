import { defineCommand } from "../terminal/command.ts";
import { printableJson } from "../terminal/printable.ts";
import { toJson } from "./describe-volume.ts";
import { findVolumes, placeOptions } from "./find-volumes.ts";

export const inspect = defineCommand({
  details: ["Secrets among the options are shown as ***."],
  options: placeOptions,
  async run(place, [name = ""], context) {
    await using volumes = await findVolumes(place, context);
    const { managed, driver } = volumes;
    const described = { ...toJson(await driver.get(name)), ...(managed && { holders: managed.holders(name) }) };
    context.stdout.write(`${printableJson(described, 2)}\n`);
    return "done";
  },
});
