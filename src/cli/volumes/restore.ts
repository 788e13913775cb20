import { createReadStream } from "node:fs";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { unpackArchive } from "../../volumedrivers/index.ts";
import { defineCommand, UsageError } from "../terminal/command.ts";
import { fillNewVolume } from "./fill-volume.ts";
import { findVolumes, placeOptions } from "./find-volumes.ts";
import { watchForInterruption } from "./interruption.ts";

export const restore = defineCommand({
  details: [
    "Reads stdin, or a file: what cleat volumes backup wrote, or any tar archive that is not compressed.",
    "  cleat volumes restore data --input data.tar",
    "  zstd -dc data.tar.zst | cleat volumes restore data --opt size=10g",
    "",
    "After a failure, or when it is interrupted, there is no volume of that name. Of a driver that does not run",
    "this holds after kill -9 as well; of a running one a volume is then left that is in use by one mount until",
    "the machine starts anew. A running one may also refuse to remove what is half restored, or to unmount it: the",
    "message says what is left.",
  ],
  options: {
    ...placeOptions,
    input: { type: "string", value: "FILE", help: "read this; default stdin" },
    opt: { type: "string", short: "o", multiple: true, value: "NAME=VALUE", help: "an option of the new volume" },
  },
  async run({ input, opt = [], ...place }, [name = ""], context) {
    const { stdin } = context;
    if (input === undefined && stdin.isTTY === true) {
      throw new UsageError("a backup is a tar archive; give it on stdin, or with --input FILE");
    }
    const options = Object.fromEntries(opt.map(readOption));
    await using volumes = await findVolumes(place, context);
    using interruption = watchForInterruption(context);
    const { signal } = interruption;
    const archive = input === undefined ? stdin : createReadStream(input);
    const fill = (path: string) => unpackArchive(archive, path, { signal }).catch(named(name));
    const { managed, driver } = volumes;
    if (managed !== undefined) await managed.createFilled(name, { options }, fill, { signal });
    else await fillNewVolume(name, options, driver, fill);
    return "done";
  },
});

function readOption(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`--opt takes NAME=VALUE, not "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function named(name: string): (error: unknown) => never {
  return (error) => {
    const { code, message } = toCleatError(error);
    throw new CleatError(code, `volume "${name}" cannot be restored: ${message}`, { cause: error });
  };
}
