import { CleatError } from "../../errors/index.ts";
import { defineCommand } from "../terminal/command.ts";
import { findVolumes, placeOptions } from "./find-volumes.ts";

export const unlock = defineCommand({
  details: [
    "Of volumes that hosts share (cleat serve volume --scope global). What another host has mounted is refused,",
    "also while that is not heard from: it may write on. Make sure that it is down before you say so; HOST is the",
    "id that the refusal names.",
    "",
    "A host that comes back and still has it mounted mounts it for nobody else, and says so in its log.",
  ],
  options: placeOptions,
  async run(place, [name = "", host = ""], context) {
    await using volumes = await findVolumes(place, context);
    const tools = await volumes.tools();
    if (tools.unlock === undefined) throw new CleatError("UNIMPLEMENTED", `volume "${name}" is this host's own`);
    await tools.unlock(name, host);
    return "done";
  },
});
