import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CleatError, isSystemError, toCleatError } from "../../errors/index.ts";
import { assertPluginName } from "../../protocol/index.ts";
import { defineCommand, orUsageError, UsageError } from "../terminal/command.ts";
import { absolute } from "./listen-options.ts";
import { formatUnits, graphDriverUnit, snapshotterUnit } from "./format-units.ts";

/** The program that this installation starts with. */
const program = fileURLToPath(new URL("../main.js", import.meta.url));

export const units = defineCommand({
  details: [
    "For the engines of the system: a service, which serves a graph driver or a snapshotter, and a socket, which systemd holds.",
    "An engine may start before what is served, and calls wait for what is started anew. They hold the paths of this Node and",
    "installation.",
    "",
    "  cleat units --write /etc/systemd/system",
    "  systemctl daemon-reload",
    "  systemctl enable --now cleat.socket cleat.service",
    "",
    "  cleat units --snapshotter --write /etc/systemd/system",
    "  systemctl daemon-reload",
    "  systemctl enable --now cleat-snapshotter.socket cleat-snapshotter.service",
    "",
    "What else the driver is to have goes into ExecStart= by systemctl edit --full cleat.service.",
  ],
  options: {
    name: {
      type: "string",
      value: "NAME",
      help: "what engines call the plugin; default cleat; units are cleat-NAME then",
    },
    snapshotter: { type: "boolean", help: "serve a snapshotter to containerd instead; units are cleat-snapshotter" },
    driver: { type: "string", value: "DRIVER", help: "as serve graph has it; default auto" },
    write: { type: "string", value: "FOLDER", help: "write both there; a unit that is there already stays" },
  },
  async run({ name, snapshotter = false, driver, write }, _operands, { stdout, stderr }) {
    const folder = write === undefined ? undefined : absolute("write", write);
    const driverWords = driver === undefined ? [] : ["--driver", driver];
    const { served, words } = snapshotter ? snapshotterCommand(name) : graphCommand(name);
    const files = formatUnits(served, [process.execPath, program, ...words, ...driverWords]);
    if (/\/_npx\//.test(program)) {
      stderr.write(`cleat: ${program} is in npx's cache, which may be cleared: install Cleat for good first\n`);
    }
    for (const [file, content] of Object.entries(files)) {
      if (folder === undefined) stdout.write(`# ${file}\n${content}\n`);
      else await writeNew(join(folder, file), content);
    }
    if (folder !== undefined)
      stdout.write(
        `${Object.keys(files)
          .map((file) => join(folder, file))
          .join("\n")}\n`,
      );
    return "done";
  },
});

function graphCommand(name = "cleat") {
  orUsageError(() => assertPluginName(name));
  return { served: graphDriverUnit(name), words: ["serve", "graph", "--systemd", "--name", name] };
}

function snapshotterCommand(name: string | undefined) {
  if (name !== undefined)
    throw new UsageError("--name is of no use with --snapshotter: containerd's configuration names it");
  return { served: snapshotterUnit, words: ["serve", "snapshotter", "--systemd"] };
}

/** A unit that is there may have been edited. */
async function writeNew(path: string, content: string): Promise<void> {
  try {
    await writeFile(path, content, { flag: "wx", mode: 0o644 });
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw toCleatError(error, `unit "${path}"`);
    const message = `unit "${path}" is there, and may have been edited; remove it first`;
    throw new CleatError("FAILED_PRECONDITION", message, { cause: error });
  }
}
