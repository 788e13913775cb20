import { defineCommand } from "../terminal/command.ts";
import { findVolumes, placeOptions } from "./find-volumes.ts";

export const rm = defineCommand({
  details: [
    "What a container has mounted is refused. An engine that knows the volume finds it gone when it looks next; where",
    "it can, remove it there: docker volume rm NAME.",
  ],
  options: placeOptions,
  async run(place, [name = ""], context) {
    await using volumes = await findVolumes(place, context);
    await volumes.driver.remove(name);
    return "done";
  },
});
