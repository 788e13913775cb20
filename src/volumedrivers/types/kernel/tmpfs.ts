import { z } from "zod";
import type { VolumeBackend } from "../../managed/volume-backend.ts";
import { mountFileSystem } from "../../mounting/mount-file-system.ts";
import { mountListOption } from "../../options/mount-list.ts";
import { sizeOption } from "../../options/option-types.ts";
import { usageWhileMounted } from "./usage-while-mounted.ts";

const idOption = () => z.string().regex(/^\d{1,10}$/, { error: "takes a number" });

const options = {
  device: z.string().optional(),
  o: mountListOption().default([]),
  size: sizeOption().optional(),
  mode: z
    .string()
    .regex(/^[0-7]{3,4}$/, { error: "takes 1777 or the like" })
    .optional(),
  uid: idOption().optional(),
  gid: idOption().optional(),
};

/** Files in memory, which are gone when nobody has the volume mounted any more; `size` limits them. */
export const tmpfs: VolumeBackend<typeof options> = {
  options,
  async mount({ options: { o, size, mode, uid, gid }, target }, { signal }) {
    const own = Object.entries({ size, mode, uid, gid }).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    );
    await mountFileSystem({ type: "tmpfs", source: "tmpfs", target, options: [...o, ...own], signal });
  },
  usage: usageWhileMounted,
};
