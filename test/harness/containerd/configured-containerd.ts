import { readFile, writeFile } from "node:fs/promises";
import { parse, type TomlTable } from "smol-toml";
import { type Need, needs, needsOf } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { cleatCommand } from "../plugins/cleat.ts";
import { type Daemon, untilReady } from "../processes/daemon.ts";
import type { Namespace } from "../namespaces/namespace.ts";
import { type EngineRelease, forky, machine, trixie } from "../namespaces/release.ts";

/**
 * A containerd whose configuration `cleat config containerd` writes, in a namespace. Its socket is where containerd's
 * always is.
 */
export interface ConfiguredContainerd {
  /** "2.1.9" */
  readonly version: string;
  /** Its configuration, which has its own folders in it and nothing else before it is written. */
  readonly configPath: string;
  readonly address: string;
  /** Runs `cleat` in the namespace and returns what it printed. */
  cleat(...args: readonly string[]): Promise<string>;
  readConfig(): Promise<string>;
  writeConfig(text: string): Promise<void>;
  /** What containerd makes of it. */
  dump(): Promise<TomlTable>;
  start(): Promise<Daemon>;
  /** Its plugins as it tells of them: "io.containerd.snapshotter.v1 cleat" → "ok". */
  plugins(): Promise<ReadonlyMap<string, string>>;
}

export interface ContainerdRelease {
  readonly release: EngineRelease;
  readonly needs: readonly Need[];
  readonly title: string;
}

export const oldestContainerd: ContainerdRelease = {
  release: machine,
  needs: [needs.root, needs.containerd],
  title: "containerd of this machine",
};
export const newestContainerd: ContainerdRelease = {
  release: forky,
  needs: needsOf(forky, "docker"),
  title: "containerd of Debian testing",
};

/** The containerd of each release of Debian: by day the oldest and the newest, at night that between. */
export const containerdReleases: readonly ContainerdRelease[] = byDayOrNight(
  [oldestContainerd, newestContainerd],
  [{ release: trixie, needs: needsOf(trixie, "docker"), title: "containerd of Debian 13" }],
);

const address = "/run/containerd/containerd.sock";
/** With a file of config version `configVersion`, or none at all. */
export async function configureContainerd(
  { folder, run, start }: Namespace,
  configVersion: 2 | 3 | undefined = 2,
): Promise<ConfiguredContainerd> {
  const configPath = `${folder}/config.toml`;
  const { version } = /(?<version>\d+\.\d+\.\d+)/.exec(await run(["containerd", "--version"]))?.groups ?? {};
  if (version === undefined) throw new Error("containerd tells no version");
  const writeConfig = (text: string) => writeFile(configPath, text);
  if (configVersion !== undefined) await writeConfig(`version = ${configVersion}\n`);
  const daemonArguments = ["--config", configPath, "--root", `${folder}/containerd`, "--address", address];
  return {
    version,
    configPath,
    address,
    writeConfig,
    cleat: (...args) => run([...cleatCommand, ...args]),
    readConfig: () => readFile(configPath, "utf8"),
    dump: async () => parse(await run(["containerd", "--config", configPath, "config", "dump"])),
    async start() {
      const daemon = await start("containerd", ["containerd", ...daemonArguments]);
      await untilReady(daemon, "containerd to answer", () => answersCtr(run));
      return daemon;
    },
    async plugins() {
      const rows = (await run(["ctr", "--address", address, "plugins", "ls"])).split("\n").slice(1);
      return new Map(
        rows.map((row) => row.trim().split(/\s+/)).map((row) => [`${row[0]} ${row[1]}`, row.at(-1) ?? ""]),
      );
    },
  };
}

async function answersCtr(run: Namespace["run"]): Promise<boolean> {
  return run(["ctr", "--address", address, "version"]).then(
    () => true,
    () => false,
  );
}
