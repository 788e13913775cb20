import { serve } from "cleat/plugin";
import { createVolumeDriverPlugin } from "cleat/volume";
import { mountFileSystem, openManagedVolumes, sizeOption } from "cleat/volumedrivers";

const driver = await openManagedVolumes({
  name: "ramdisk",
  folder: process.env["RAMDISK_FOLDER"] ?? "/var/lib/ramdisk",
  options: { size: sizeOption().default(64 * 2 ** 20) },
  mount: ({ options: { size }, target }, { signal }) =>
    mountFileSystem({ type: "tmpfs", source: "ramdisk", target, options: [`size=${size}`], signal }),
});
await serve({ drivers: [createVolumeDriverPlugin({ driver })], listen: "ramdisk" });
