import { CleatError } from "../../errors/index.ts";
import { absolute } from "../serving/options/listen-options.ts";
import { defineCommand, orUsageError, UsageError } from "../terminal/command.ts";
import { watchForInterruption } from "../terminal/interruption.ts";
import { defaultAddress } from "./config/find-containerd.ts";
import { parseVersion } from "./config/versions.ts";
import {
  chooseDoor,
  type DockerDoor,
  dockerSettings,
  hasOtherDoor,
  memberAt,
  parseDaemonJson,
  settingsOf,
  withoutSettings,
  withSettings,
} from "./docker/daemon-json.ts";
import { defaultDaemonJson, findDocker, type FoundDocker, startsOwnContainerd } from "./docker/find-docker.ts";
import {
  type EditedFile,
  keepCopy,
  readEditedFile,
  readLastCopy,
  removeEditedFile,
  replaceText,
} from "./files/edited-file.ts";

type Print = (line: string) => void;

export const configDocker = defineCommand({
  details: [
    "Prints Docker's daemon.json as it has to be for images and containers to be kept on Cleat, with all that it says",
    "now. Docker 24 and later come by containerd, whose own configuration is needed, too: cleat config containerd.",
    "Docker up to 26 can come to a graph driver plugin instead, with --graph.",
    "",
    "--write writes it, and keeps a copy of the file beside it; --remove puts back what --write has changed, and",
    "leaves what was written since.",
    "",
    "Images of another driver are not lost: Docker does not show them until it is back on that driver.",
  ],
  options: {
    docker: {
      type: "string",
      value: "VERSION",
      help: "for this release, as 28.5, or detect: the one that runs here, or is installed; default detect",
    },
    config: { type: "string", value: "FILE", help: `default the one that dockerd runs with, or ${defaultDaemonJson}` },
    graph: { type: "boolean", help: "come to cleat serve graph, up to Docker 26" },
    write: { type: "boolean", help: "write it into the file" },
    remove: { type: "boolean", help: "put back what --write has changed" },
  },
  async run(values, _operands, context) {
    const { env, stdout, stderr } = context;
    if (values.write === true && values.remove === true)
      throw new UsageError("--write and --remove exclude each other");
    using interruption = values.write === true || values.remove === true ? watchForInterruption(context) : undefined;
    const signal = interruption?.signal;
    const named = values.docker ?? "detect";
    const isAsked = named === "detect" && values.remove !== true;
    const found = isAsked || values.config === undefined ? await findDocker(env) : undefined;
    const file = await readEditedFile(absolute("config", values.config ?? found?.configPath ?? defaultDaemonJson));
    const print: Print = (line) => stdout.write(`${line}\n`);
    if (values.remove === true) return await removeSettings(file, print, signal);

    const version = named === "detect" ? found?.version : orUsageError(() => parseVersion(named));
    if (version === undefined)
      throw new CleatError("NOT_FOUND", "there is no Docker on this machine: name its release with --docker VERSION");
    const door = orUsageError(() => chooseDoor(version, values.graph === true));
    const base = await withoutOtherDoor(file, door);
    const text = withSettings(base.text, dockerSettings(door), file.path);
    if (values.write !== true) stdout.write(text);
    else if (text === file.text) print(`${file.path} has all of it`);
    else await writeSettings(file, base, text, print, signal);
    for (const warning of await warningsFor(door, file, found)) stderr.write(`cleat: ${warning}\n`);
    return "done";
  },
});

/** What settings are put into, and the copy of it that is kept already, if there is one. */
interface Base {
  readonly text: string | undefined;
  readonly copy: string | undefined;
}

/**
 * A file that opens the other door, as before an upgrade of Docker, without it: else that would be taken for what its
 * owner had there.
 */
async function withoutOtherDoor(file: EditedFile, door: DockerDoor): Promise<Base> {
  const { text, path } = file;
  if (text === undefined || !hasOtherDoor(text, dockerSettings(door), path)) return { text, copy: undefined };
  const before = await readOwnersCopy(file);
  const base = withoutSettings(text, before?.text, path);
  return { text: base, copy: base === before?.text ? before?.path : undefined };
}

async function writeSettings(
  file: EditedFile,
  base: Base,
  text: string,
  print: Print,
  signal: AbortSignal | undefined,
): Promise<void> {
  const kept = await replaceText(file, text, {
    keep: async () => (base.copy === undefined ? keepCopyOrTrace({ ...file, text: base.text }) : undefined),
    signal,
  });
  const copy = base.copy ?? (base.text === undefined ? undefined : kept);
  print(`${file.path} is written${copy === undefined ? "" : `; as it was it is in ${copy}`}`);
  print("restart Docker to have it read the file: systemctl restart docker");
}

/** Where there was no file an earlier copy would be taken for what it was: another one says that there was none. */
async function keepCopyOrTrace(file: EditedFile): Promise<string | undefined> {
  if (file.text !== undefined) return keepCopy(file);
  const last = await readLastCopy(file);
  return last === undefined || last.text === "" ? undefined : keepCopy(file);
}

/** The last copy of what was there without Cleat. */
function readOwnersCopy(file: EditedFile): Promise<EditedFile | undefined> {
  return readLastCopy(file, (text) => settingsOf(text, file.path).length === 0);
}

async function removeSettings(file: EditedFile, print: Print, signal: AbortSignal | undefined): Promise<"done"> {
  const { text, path } = file;
  const before = await readOwnersCopy(file);
  const restored = text === undefined ? undefined : withoutSettings(text, before?.text, path);
  if (text === restored) {
    print(`${path} has nothing that cleat config docker --write wrote`);
    return "done";
  }
  // An empty copy, and none, tell that there was no file.
  const isLeft = restored !== undefined && restored !== "" && restored === before?.text;
  const isGone = !isLeft && ["", "{}"].includes(restored?.trim() ?? "");
  if (restored === undefined || isGone) await removeEditedFile(file);
  else await replaceText(file, restored, { signal });
  print(isGone ? `${path} is removed: it held nothing else` : `${path} is as it would be without Cleat`);
  print("restart Docker to have it read the file: systemctl restart docker");
  return "done";
}

/** What the file cannot say, but whoever changes it should know. */
async function warningsFor(door: DockerDoor, file: EditedFile, found: FoundDocker | undefined): Promise<string[]> {
  const { text, path } = file;
  const object = parseDaemonJson(text, path);
  const driver = memberAt(object, ["storage-driver"]);
  const containerd = memberAt(object, ["containerd"]) ?? found?.containerdFlag;
  const flag = found?.storageDriverFlag;
  return [
    ...((driver ?? flag) === "cleat"
      ? []
      : ["images and containers that Docker has now are hidden, not lost: they are there again after --remove"]),
    ...(flag === undefined
      ? []
      : [
          `dockerd runs with --storage-driver ${flag}, and does not start where ${path} names one, too: take the ` +
            "flag away",
        ]),
    ...(door === "snapshotter" && (await startsOwnContainerd(typeof containerd === "string" ? containerd : undefined))
      ? [
          `no containerd listens at ${defaultAddress}, so dockerd would start its own, which knows no plugins: start ` +
            "that one first",
        ]
      : []),
  ];
}
