import { CleatError } from "../../../errors/index.ts";
import { askProgram, findListener, findProgram, optionOf, versionIn } from "../files/installation.ts";
import { parseContainerdVersion, type Version } from "./versions.ts";

/** A containerd of this machine. */
export interface FoundContainerd {
  /** As it tells it: "1.6.20~ds1". */
  readonly versionText: string;
  readonly version: Version;
  /** Its program, which prints what it makes of a configuration. */
  readonly program: string | undefined;
  readonly configPath: string;
  /** Whether one is running at the address. */
  readonly isRunning: boolean;
}

export const defaultAddress = "/run/containerd/containerd.sock";
export const defaultConfigPath = "/etc/containerd/config.toml";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The containerd that listens at `address`, or the one that is installed where none does (or this user may not see it);
 * `undefined` where there is none.
 * @throws INVALID_ARGUMENT when it is older than what Cleat knows.
 */
export async function findContainerd(address: string, env: Env): Promise<FoundContainerd | undefined> {
  const daemon = await findListener(address, "containerd");
  const running = daemon === undefined ? undefined : `/proc/${daemon.pid}/exe`;
  const installed = await findProgram("containerd", env);
  for (const program of [running, installed]) {
    const versionText = program === undefined ? undefined : versionIn((await askProgram(program, "--version")) ?? "");
    if (versionText === undefined) continue;
    return {
      versionText,
      version: parseContainerdVersion(versionText),
      program,
      configPath: optionOf(daemon?.argv ?? [], "--config", "-c") ?? defaultConfigPath,
      isRunning: daemon !== undefined,
    };
  }
  return undefined;
}

/** @throws FAILED_PRECONDITION when containerd is one that dockerd started: dockerd writes its file anew at each start. */
export function assertOwnConfig(configPath: string): void {
  if (!/^(?:\/var)?\/run\/docker\//.test(configPath)) return;
  throw new CleatError(
    "FAILED_PRECONDITION",
    `${configPath} is written by dockerd at each start: run a containerd of the system's, and dockerd with --containerd=${defaultAddress}`,
  );
}
