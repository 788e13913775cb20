import { sizeOption } from "../../volumedrivers/index.ts";
import { defineCommand, UsageError } from "../terminal/command.ts";
import { findVolumes, placeOptions } from "./find-volumes.ts";

export const resize = defineCommand({
  details: [
    "  cleat volumes resize data 20g",
    "",
    "Of a folder that was made with a size, which may become less than it holds: then nothing more fits. Of an image,",
    "which only grows; an ext4 that is mounted does so where the driver has CAP_SYS_RESOURCE. Containers run on.",
    "",
    "The size is recorded before it is given: after kill -9 the driver gives it when it starts.",
  ],
  options: placeOptions,
  async run(place, [name = "", text = ""], context) {
    const size = sizeOption().safeParse(text);
    if (!size.success) throw new UsageError(`SIZE ${size.error.issues[0]?.message ?? "is wrong"}, not "${text}"`);
    await using volumes = await findVolumes(place, context);
    const tools = await volumes.tools();
    await tools.resize(name, size.data);
    return "done";
  },
});
