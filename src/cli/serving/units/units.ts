import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CleatError, isSystemError, toCleatError } from "../../../errors/index.ts";
import { makeFile } from "../../../files/index.ts";
import { assertPluginName } from "../../../protocol/index.ts";
import { defineCommand, orUsageError, UsageError } from "../../terminal/command.ts";
import { absolute } from "../options/listen-options.ts";
import { watchForInterruption } from "../../terminal/interruption.ts";
import { formatUnits, graphDriverUnit, snapshotterUnit, volumeUnit } from "./format-units.ts";

/** The program that this installation starts with. */
const program = fileURLToPath(new URL("../../main.js", import.meta.url));

export const units = defineCommand({
  details: [
    "For the engines of the system: a service, which serves a graph driver, a snapshotter or volumes, and a socket,",
    "which systemd holds.",
    "An engine may start before what is served, and calls wait for what is started anew. They hold the paths of this",
    "Node and installation.",
    "",
    "  cleat units --write /etc/systemd/system",
    "  systemctl daemon-reload",
    "  systemctl enable --now cleat.socket cleat.service",
    "",
    "  cleat units --snapshotter --write /etc/systemd/system",
    "  systemctl daemon-reload",
    "  systemctl enable --now cleat-snapshotter.socket cleat-snapshotter.service",
    "",
    "  cleat units --volumes --write /etc/systemd/system",
    "  systemctl daemon-reload",
    "  systemctl enable --now cleat-volumes.socket cleat-volumes.service",
    "",
    "Graph driver and volumes of one name would be on one socket: give one of them another with --name.",
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
    volumes: { type: "boolean", help: "serve volumes instead; units are cleat-volumes" },
    driver: { type: "string", value: "DRIVER", help: "as serve graph has it; default auto" },
    write: { type: "string", value: "FOLDER", help: "write both there; a unit that is there already stays" },
  },
  async run({ name, snapshotter = false, volumes = false, driver, write }, _operands, context) {
    const { stdout, stderr } = context;
    const folder = write === undefined ? undefined : absolute("write", write);
    const driverWords = driver === undefined ? [] : ["--driver", driver];
    if (volumes && (snapshotter || driver !== undefined))
      throw new UsageError(`--volumes and --${snapshotter ? "snapshotter" : "driver"} exclude each other`);
    const { served, words } = snapshotter
      ? snapshotterCommand(name)
      : volumes
        ? volumeCommand(name)
        : graphCommand(name);
    const files = formatUnits(served, [process.execPath, program, ...words, ...driverWords]);
    if (/\/_npx\//.test(program)) {
      stderr.write(`cleat: ${program} is in npx's cache, which may be cleared: install Cleat for good first\n`);
    }
    if (folder === undefined)
      for (const [file, content] of Object.entries(files)) stdout.write(`# ${file}\n${content}\n`);
    else {
      using interruption = watchForInterruption(context);
      for (const path of await writeAll(folder, files, interruption.signal)) stdout.write(`${path}\n`);
    }
    return "done";
  },
});

function graphCommand(name = "cleat") {
  orUsageError(() => assertPluginName(name));
  return { served: graphDriverUnit(name), words: ["serve", "graph", "--systemd", "--name", name] };
}

function volumeCommand(name = "cleat") {
  orUsageError(() => assertPluginName(name));
  return { served: volumeUnit(name), words: ["serve", "volume", "--systemd", "--name", name] };
}

function snapshotterCommand(name: string | undefined) {
  if (name !== undefined)
    throw new UsageError("--name is of no use with --snapshotter: containerd's configuration names it");
  return { served: snapshotterUnit, words: ["serve", "snapshotter", "--systemd"] };
}

/** All or none; returns where they are. */
async function writeAll(
  folder: string,
  files: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const written: string[] = [];
  try {
    for (const [file, content] of Object.entries(files)) {
      const path = join(folder, file);
      await writeNew(path, content);
      written.push(path);
      signal.throwIfAborted();
    }
    return written;
  } catch (error) {
    for (const path of written) await rm(path);
    throw error;
  }
}

/** A unit that is there may have been edited. */
async function writeNew(path: string, content: string): Promise<void> {
  try {
    await makeFile(path, (file) => file.writeFile(content), 0o644);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) {
      const what = error.code === "ENOENT" ? "is not there; make it first" : "is none";
      const message = `folder "${dirname(path)}" ${what}`;
      throw new CleatError("NOT_FOUND", message, { cause: error });
    }
    if (!isSystemError(error, "EEXIST")) throw toCleatError(error, `unit "${path}"`);
    const message = `unit "${path}" is there, and may have been edited; remove it first`;
    throw new CleatError("FAILED_PRECONDITION", message, { cause: error });
  }
}
