import { CleatError } from "../../errors/index.ts";
import { absolute } from "../serving/options/listen-options.ts";
import { examine } from "../stores/examine.ts";
import { defineCommand, orUsageError, UsageError } from "../terminal/command.ts";
import { watchForInterruption } from "../terminal/interruption.ts";
import { defaultSnapshotterRoot, defaultSnapshotterSocket } from "../terminal/default-folders.ts";
import { takeOutBlock } from "./config/block.ts";
import { composeConfig, type ConfigRequest } from "./config/compose.ts";
import { type EditedFile, keepCopy, readEditedFile, removeEditedFile, replaceText } from "./files/edited-file.ts";
import { assertArrived, readEffectiveConfig } from "./config/effective-config.ts";
import { assertOwnConfig, defaultAddress, defaultConfigPath, findContainerd } from "./config/find-containerd.ts";
import { leftReferences } from "./config/left-references.ts";
import { containerdPlatform } from "./config/tables.ts";
import { isToml } from "./config/toml-text.ts";
import { hasFeature, parseContainerdVersion, type Version } from "./config/versions.ts";

/** containerd is root's, whoever asks. */
const systems = { env: {}, uid: 0 };
const systemSocket = await defaultSnapshotterSocket(systems);
const systemRoot = defaultSnapshotterRoot(systems);

const restart = "restart containerd to have it read the file: systemctl restart containerd";

export const configContainerd = defineCommand({
  details: [
    "Prints what has to be added to containerd's configuration so that it keeps layers on cleat serve snapshotter, and",
    "no key that this release of containerd would stumble on. What the file says already is left out.",
    "",
    "--write adds it at the end of the file, between two marks, and keeps a copy of the file beside it; called again,",
    "it writes what is between the marks anew. A table that is in the file already is never touched: the command says",
    "what to write there, and changes nothing. --remove takes out what is between the marks, and nothing else.",
    "",
    "containerd reads its configuration when it starts. cleat doctor says whether it did.",
  ],
  options: {
    containerd: {
      type: "string",
      value: "VERSION",
      help: "for this release, as 2.1.9, or detect: the one that runs here, or is installed; default detect",
    },
    address: { type: "string", value: "PATH", help: `containerd's socket; default ${defaultAddress}` },
    config: { type: "string", value: "FILE", help: `its file; default the one it runs with, or ${defaultConfigPath}` },
    socket: { type: "string", value: "PATH", help: `serve snapshotter's; default ${systemSocket}` },
    root: { type: "string", value: "PATH", help: `serve snapshotter's; default ${systemRoot}` },
    driver: { type: "string", value: "DRIVER", help: "serve snapshotter's; default auto: what the root gets" },
    cri: { type: "boolean", help: "Kubernetes keeps its images and containers on it" },
    "cri-runtime": { type: "string", multiple: true, value: "NAME", help: "pods of this runtime do" },
    transfer: { type: "boolean", help: "what ctr pulls can be unpacked on it, from containerd 1.7 on" },
    diff: { type: "boolean", help: "diffs are made by serve snapshotter --diff, from containerd 1.7.4 on" },
    write: { type: "boolean", help: "write it into the file" },
    remove: { type: "boolean", help: "take out what --write has written" },
  },
  async run(values, _operands, context) {
    const { env, stdout, stderr } = context;
    if (values.write === true && values.remove === true)
      throw new UsageError("--write and --remove exclude each other");
    const print: Print = (line) => stdout.write(`${line}\n`);
    const warn: Print = (line) => stderr.write(`cleat: ${line}\n`);
    const address = absolute("address", values.address ?? defaultAddress);
    const named = values.containerd ?? "detect";
    const isAsked = named === "detect" && values.remove !== true;
    const found = isAsked || values.config === undefined ? await findContainerd(address, env) : undefined;
    const file = await readEditedFile(absolute("config", values.config ?? found?.configPath ?? defaultConfigPath));
    if (values.remove === true) {
      using interruption = watchForInterruption(context);
      await removeBlock(file, print, interruption.signal);
      await warnOfReferences(file.path, warn);
      return "done";
    }

    const version = named === "detect" ? found?.version : orUsageError(() => parseContainerdVersion(named));
    if (version === undefined)
      throw new CleatError(
        "NOT_FOUND",
        "there is no containerd on this machine: name its release with --containerd VERSION",
      );
    const criRuntimes = values["cri-runtime"] ?? [];
    if (criRuntimes.includes("")) throw new UsageError('--cri-runtime takes a NAME, not ""');
    const socket = absolute("socket", values.socket ?? systemSocket);
    const root = absolute("root", values.root ?? systemRoot);
    const request: ConfigRequest = {
      version,
      socket,
      root,
      platform: containerdPlatform(process.arch),
      canRebase: await canRebase(version, values.driver ?? "auto", root),
      cri: values.cri === true,
      criRuntimes,
      transfer: values.transfer === true,
      diff: values.diff === true,
    };
    if (values.write !== true) {
      const { block, conflicts } = orUsageError(() => composeConfig(request, file.text, file.path));
      stdout.write(block?.replace(/^\n/, "") ?? "");
      for (const conflict of conflicts) warn(conflict);
      if (block === undefined && conflicts.length === 0) warn(`${file.path} has all of it`);
      return "done";
    }
    const isThisRelease = found !== undefined && (named === "detect" || sameRelease(found.version, version));
    using interruption = watchForInterruption(context);
    await writeBlock(file, request, isThisRelease ? found.program : undefined, print, interruption.signal);
    return "done";
  },
});

type Print = (line: string) => void;

/** Of what is left of Cleat in a file from which the block was taken; in one that is no TOML nobody can tell. */
async function warnOfReferences(path: string, warn: Print): Promise<void> {
  const { text = "" } = await readEditedFile(path);
  if (!isToml(text)) return;
  for (const table of leftReferences(text, path))
    warn(`${path} still names Cleat in ${table}: write there what was there before`);
}

/** Puts the block anew at the end of the file; the containerd that is to read it, if any, is asked first. */
async function writeBlock(
  file: EditedFile,
  request: ConfigRequest,
  program: string | undefined,
  print: Print,
  signal: AbortSignal,
): Promise<void> {
  const { text: rest } = takeOutBlock(file.text, file.path);
  const { block, expected, conflicts } = orUsageError(() => composeConfig(request, rest, file.path));
  assertOwnConfig(file.path);
  if (conflicts.length > 0) throw new CleatError("FAILED_PRECONDITION", conflicts.join("; "));
  const text = (rest ?? "") + (block ?? "");
  if (text === file.text) return print(`${file.path} has all of it`);
  const copy = await replaceText(file, text, {
    async check(path) {
      if (program === undefined) return;
      assertArrived(expected, await readEffectiveConfig(program, path, file.path), file.path);
    },
    keep: async () => (file.text === undefined ? undefined : keepCopy(file)),
    signal,
  });
  print(`${file.path} is written${copy === undefined ? "" : `; as it was it is in ${copy}`}`);
  print(restart);
}

async function removeBlock(file: EditedFile, print: Print, signal: AbortSignal): Promise<void> {
  const { text, block } = takeOutBlock(file.text, file.path);
  if (block === undefined) return print(`${file.path} has nothing that cleat config containerd --write wrote`);
  if (text === undefined) await removeEditedFile(file);
  else await replaceText(file, text, { signal });
  print(
    text === undefined
      ? `${file.path} is removed: it held nothing else`
      : `${file.path} is as it would be without Cleat`,
  );
  print(restart);
}

/** A fact about the driver, which is asked for where this containerd makes use of it. */
async function canRebase(version: Version, driver: string, root: string): Promise<boolean> {
  if (!hasFeature(version, "rebase")) return false;
  if (driver !== "auto") return driver === "overlay2";
  const { chosen, privileges } = await examine({ home: root }, 10_000);
  return chosen === "overlay2" && privileges.initialUserNamespace;
}

function sameRelease(a: Version, b: Version): boolean {
  return a.major === b.major && a.minor === b.minor && a.patch === b.patch;
}
