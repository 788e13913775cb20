import { existsSync } from "node:fs";
import { CleatError } from "../../../errors/index.ts";
import { askProgram, findListener, findProgram, optionOf, versionIn } from "../files/installation.ts";
import { parseContainerdVersion, type Version } from "./versions.ts";

/** A containerd of this machine. */
export interface FoundContainerd {
  /** As it tells it: "1.6.20~ds1". */
  readonly versionText: string;
  readonly version: Version;
  /** Its program, which prints what it makes of a configuration; `undefined` where it is part of another, as in k3s. */
  readonly program: string | undefined;
  readonly configPath: string;
  /** Whether one is running at the address. */
  readonly isRunning: boolean;
}

export const defaultAddress = "/run/containerd/containerd.sock";
export const defaultConfigPath = "/etc/containerd/config.toml";

const askDeadlineMs = 2_000;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The containerd that listens at `address`, or the one that is installed where none does, or this user may not ask it;
 * `undefined` where there is none.
 * @throws INVALID_ARGUMENT when it is older than what Cleat knows.
 */
export async function findContainerd(address: string, env: Env): Promise<FoundContainerd | undefined> {
  const [answer, daemon] = await Promise.all([askVersion(address), findListener(address, "containerd")]);
  const told = await findOwnProgram(daemon === undefined ? [] : [`/proc/${daemon.pid}/exe`]);
  const installed =
    told ?? (answer === undefined ? await findOwnProgram([await findProgram("containerd", env)]) : undefined);
  const versionText = answer ?? installed?.versionText;
  if (versionText === undefined) return undefined;
  return {
    versionText,
    version: parseContainerdVersion(versionText),
    program: installed?.program,
    configPath: optionOf(daemon?.argv ?? [], "--config", "-c") ?? defaultConfigPath,
    isRunning: answer !== undefined || daemon !== undefined,
  };
}

/** What it says of itself; `undefined` where it cannot be asked. Where no socket is, what asks it is not loaded. */
async function askVersion(socket: string): Promise<string | undefined> {
  if (!existsSync(socket)) return undefined;
  const { connectContainerd } = await import("../../../containerd/index.ts");
  await using containerd = connectContainerd({ socket, namespace: "default" });
  try {
    const { version } = await containerd.services.version.version({}, { timeoutMs: askDeadlineMs });
    return versionIn(version);
  } catch (error) {
    if (error instanceof CleatError) return undefined;
    throw error;
  }
}

async function findOwnProgram(
  paths: readonly (string | undefined)[],
): Promise<{ readonly program: string; readonly versionText: string } | undefined> {
  for (const program of paths) {
    const said = program === undefined ? undefined : await askProgram(program, "--version");
    const versionText = said?.startsWith("containerd ") === true ? versionIn(said) : undefined;
    if (program !== undefined && versionText !== undefined) return { program, versionText };
  }
  return undefined;
}

/**
 * @throws FAILED_PRECONDITION when containerd is one that dockerd started: dockerd writes its file anew at each start.
 */
export function assertOwnConfig(configPath: string): void {
  if (!isDockersConfig(configPath)) return;
  throw new CleatError(
    "FAILED_PRECONDITION",
    `${configPath} is written by dockerd at each start: run a containerd of the system's, and dockerd with ` +
      `--containerd=${defaultAddress}`,
  );
}

export function isDockersConfig(configPath: string): boolean {
  return /^(?:\/var)?\/run\/docker\//.test(configPath);
}
