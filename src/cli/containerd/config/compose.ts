import { CleatError } from "../../../errors/index.ts";
import { describeFile, formatBlock } from "./block.ts";
import { settleTables } from "./settle.ts";
import { type PlannedTable, planTables, type SnapshotterRequest } from "./tables.ts";
import { formatPlannedTable, parseToml, type TomlTable, valueAt } from "./toml-text.ts";
import { hasFeature } from "./versions.ts";

/** A file with all that a request needs. */
export interface ComposedConfig {
  /** What is added at the end of the file; `undefined` where nothing has to be. */
  readonly block: string | undefined;
  /** What containerd is to see of the file then. */
  readonly expected: readonly PlannedTable[];
  /** Sentences about what only the file's owner can change. */
  readonly conflicts: readonly string[];
}

/** What the configuration is to say; its version is that of the file. */
export type ConfigRequest = Omit<SnapshotterRequest, "configVersion">;

/**
 * What a request adds to a file; nothing is in it of what it holds already.
 * @throws FAILED_PRECONDITION when the file is not TOML, or too old; INVALID_ARGUMENT as `planTables` does.
 */
export function composeConfig(request: ConfigRequest, text: string | undefined, subject: string): ComposedConfig {
  const held = parseToml(text ?? "", subject);
  const saysNothing = Object.keys(held).length === 0;
  const configVersion = saysNothing ? newestConfigVersion(request) : versionOf(held);
  if (configVersion < 2) assertNamesNoPlugins(request, subject);
  const planned = planTables({ ...request, configVersion });
  const { missing, expected, conflicts } = settleTables(planned, text ?? "", subject);
  if (missing.length === 0 && text !== undefined) return { block: undefined, expected, conflicts };
  const version = saysNothing ? [`version = ${configVersion}\n`] : [];
  const body = [...version, ...missing.map(formatPlannedTable)].join("\n");
  return { block: formatBlock(body, describeFile(text)), expected, conflicts };
}

function newestConfigVersion({ version }: ConfigRequest): number {
  return hasFeature(version, "configVersion3") ? 3 : 2;
}

/** In files of the first version plugins have other names. */
function assertNamesNoPlugins({ cri, transfer, diff, criRuntimes }: ConfigRequest, subject: string): void {
  if (!cri && !transfer && !diff && criRuntimes.length === 0) return;
  const advice = 'write "version = 2" at its top, and name its plugins in full';
  const message = `${subject} is of config version 1, in which plugins have other names: ${advice}`;
  throw new CleatError("FAILED_PRECONDITION", message);
}

/** A file that does not say is of the first, as containerd has it, unless it says nothing at all. */
function versionOf(held: TomlTable): number {
  const version = valueAt(held, ["version"]);
  return typeof version === "number" ? version : 1;
}
