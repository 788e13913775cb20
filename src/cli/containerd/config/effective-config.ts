import { CleatError } from "../../../errors/index.ts";
import { tryProgram } from "../files/installation.ts";
import { holdsTable } from "./settle.ts";
import { criPlugin, criRuntimePlugin, type PlannedTable } from "./tables.ts";
import { formatHeader, parseToml, type TomlTable, valueAt } from "./toml-text.ts";

/**
 * What containerd makes of a file and of all that the file imports, as `containerd config dump` prints it.
 * @throws FAILED_PRECONDITION, with its words, when it does not read the file.
 */
export async function readEffectiveConfig(program: string, path: string, subject = path): Promise<TomlTable> {
  const { stdout, failure } = await tryProgram(program, ["--config", path, "config", "dump"]);
  if (failure === undefined) return parseToml(stdout, "what containerd config dump prints");
  throw new CleatError(
    "FAILED_PRECONDITION",
    `containerd does not read ${subject}: ${reasonIn(failure, path, subject)}`,
  );
}

/** What it says at the end, after what it has logged, of a file that its reader knows by another name. */
function reasonIn(failure: string, path: string, subject: string): string {
  const reason = /^containerd: ([^]*)/m.exec(failure)?.[1] ?? failure;
  return reason.replaceAll(path, subject);
}

/**
 * Asks containerd itself whether the tables arrive. In 1.6 and 1.7 a plugin's section of a file that is imported
 * replaces that of the importing file as a whole, silently.
 * @throws FAILED_PRECONDITION when they do not.
 */
export function assertArrived(tables: readonly PlannedTable[], effective: TomlTable, subject: string): void {
  const lost = tables.find((table) => !arrives(table, effective));
  if (lost === undefined) return;
  const header = formatHeader(lost.path, lost.entry !== undefined);
  const why = isDisabled(lost, effective)
    ? "disabled_plugins names that plugin; take it out there, and run this again"
    : "another file that it imports replaces it";
  throw new CleatError("FAILED_PRECONDITION", `containerd does not see ${header} of ${subject}: ${why}`);
}

/** As in the file that comes with Docker's packages of containerd, which leaves Kubernetes' plugin out. */
function isDisabled({ path: [, plugin] }: PlannedTable, effective: TomlTable): boolean {
  const disabled = valueAt(effective, ["disabled_plugins"]);
  return Array.isArray(disabled) && disabled.some((name) => name === plugin);
}

/** containerd 2 prints runtimes of Kubernetes' as it has taken them over from files of config version 2. */
export function arrives(table: PlannedTable, effective: TomlTable): boolean {
  const [plugins = "", plugin, ...rest] = table.path;
  const moved = [plugins, criRuntimePlugin, ...rest];
  return [table.path, ...(plugin === criPlugin ? [moved] : [])].some((path) =>
    holdsTable(effective, { ...table, path }),
  );
}
