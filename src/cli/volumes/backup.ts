import type { FileHandle } from "node:fs/promises";
import type { Writable } from "node:stream";
import { archiveFolder } from "../../volumedrivers/index.ts";
import { defineCommand, UsageError } from "../terminal/command.ts";
import { fillWhole } from "../terminal/write-whole.ts";
import { findVolumes, placeOptions } from "./find-volumes.ts";
import { holdVolume } from "./hold-volume.ts";
import { watchForInterruption } from "../terminal/interruption.ts";

export const backup = defineCommand({
  details: [
    "Owners, modes, times to the nanosecond, extended attributes, hard links, holes and devices",
    "are kept; GNU tar reads it:",
    "  cleat volumes backup data --output data.tar",
    "  cleat volumes backup data | zstd > data.tar.zst",
    "",
    "Files are read one after another while programs may write them. For one moment's state stop the containers, or",
    "make a snapshot and back that up: docker volume create -d cleat -o from=data -o snapshot=true data-now",
    "",
    "The volume is not removed meanwhile; should it go away all the same, the backup fails, and what stdout got is no",
    "whole one. After kill -9 the volume is in use by one mount more until the machine starts anew.",
  ],
  options: {
    ...placeOptions,
    output: {
      type: "string",
      value: "FILE",
      help: "write it there, whole or not at all, but for pipes and devices; default stdout",
    },
  },
  async run({ output, ...place }, [name = ""], context) {
    const { stdout } = context;
    if (output === undefined && stdout.isTTY === true) {
      throw new UsageError("a backup is a tar archive; send stdout to a file or a command, or give --output FILE");
    }
    await using volumes = await findVolumes(place, context);
    using interruption = watchForInterruption(context);
    const { signal } = interruption;
    const write = (target: Writable | number) =>
      holdVolume(name, volumes.driver, (path) => archiveFolder(path, target, { signal }));
    await (output === undefined ? write(stdout) : writeArchive(output, (file) => write(file.fd)));
    return "done";
  },
});

/** As private as the volume, and on the disk; a pipe or a device is written to. */
export async function writeArchive(path: string, write: (target: FileHandle) => Promise<void>): Promise<void> {
  await fillWhole(path, write, { mode: 0o600 });
}
