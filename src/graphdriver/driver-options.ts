import { CleatError } from "../errors/index.ts";
import type { ArchiveDialect } from "../layer/index.ts";
import type { DriverOptionTable, OpenOptions, OptionValues } from "./driver-factory.ts";
import { parseSize } from "./size.ts";

/** What every driver can be told of its diffs. */
export interface DiffOptions {
  /**
   * `cleat.archive_dialect`: whose archiver to follow, so that layers made anew have the digests that the engine's own
   * driver would give them. Default the newest.
   */
  readonly archiveDialect: ArchiveDialect;
  /**
   * `cleat.exact_diffs`: keep of each archive that is applied what its tree does not (some hundredths of its size), and
   * give it back byte for byte. Default false.
   *
   * Told that a driver does so, Docker keeps no such data itself: it saves and pushes layers by `diff`, and checks
   * their digests. So the choice belongs to a store for good. Layers that Docker registered without the option are then
   * made anew, and those whose digests differ are refused by Docker; without the option, Docker cannot save those that
   * it registered with it.
   * Source: moby v20.10.24 `layer/layer_store.go`, `useTarSplit`; the same until plugins were removed (moby#48143).
   */
  readonly exactDiffs: boolean;
  /**
   * `cleat.strict_attributes`: refuse a layer with extended attributes that the file system cannot hold, instead of
   * leaving them out as Docker and containerd do. Default false.
   */
  readonly strictAttributes: boolean;
}

const archiveDialects = ["docker-20.10", "docker-26"] as const satisfies readonly ArchiveDialect[];

/** What is written where nobody says whom to follow. */
export const newestArchiveDialect = "docker-26" satisfies ArchiveDialect;

const parseSizeOption = (value: string, key: string): number => parseSize(value, `option "${key}"`);

/** What options of drivers take. */
export const optionKinds = {
  boolean: { value: "true|false", parse: parseBoolean },
  size: { value: "SIZE", parse: parseSizeOption },
} as const;

const maxThreadsKey = "cleat.max_threads";

function parseMaxThreads(value: string, key: string): number {
  const count = /^\d{1,4}$/.test(value) ? Number(value) : 0;
  if (count >= 4) return count;
  throw new CleatError("INVALID_ARGUMENT", `option "${key}" is "${value}", not a number of threads from 4 on`);
}

/** The options that every driver of Cleat's has. */
export const commonOptions = {
  [maxThreadsKey]: {
    name: "maxThreads",
    value: "N",
    parse: parseMaxThreads,
    // An eighth of them unpack layers while these are sent, as many unpack what has come whole, and as many archive.
    help: "how many threads the driver works with, which bounds its memory (some 14 MB each); at least 4, default 16",
  },
  "cleat.exact_diffs": {
    name: "exactDiffs",
    ...optionKinds.boolean,
    help:
      "keep of each archive what gives it back byte for byte; a choice for good, made before the first image; " +
      "default false",
  },
  "cleat.strict_attributes": {
    name: "strictAttributes",
    ...optionKinds.boolean,
    help:
      "refuse layers with extended attributes that the file system cannot hold, instead of leaving them out; " +
      "default false",
  },
  "cleat.archive_dialect": {
    name: "archiveDialect",
    value: archiveDialects.join("|"),
    parse: parseDialect,
    help:
      "whose archives layers that are made anew are like, to the byte; default the asking engine's, " +
      "else the newest",
  },
} as const satisfies DriverOptionTable;

/** What a program or an operator says of the options in a table. */
export type GivenOptions<Table extends DriverOptionTable> = Pick<OpenOptions, "options"> & OptionValues<Table>;

const maxThreadsTable = { [maxThreadsKey]: commonOptions[maxThreadsKey] };

/** Read before all others, for who opens a home needs threads. `undefined` where nothing is said. */
export function readMaxThreads({ options = [], maxThreads }: GivenOptions<typeof maxThreadsTable>): number | undefined {
  const ofThreads = options.filter((option) => option.includes("=") && keyOf(option) === maxThreadsKey);
  return readDriverOptions("", { options: ofThreads, maxThreads }, maxThreadsTable).maxThreads;
}

/**
 * The options of our drivers that follow from how an engine calls its plugins. Only Docker up to 20.10.24 and 23.0.6
 * sends an empty `Host`; later ones send `plugin.moby.localhost` (moby#45942), over TCP all send the address. Who is
 * told wrong by it (20.10.25 and later, 23) has layers of other digests and the same content, and
 * `cleat.archive_dialect`.
 */
export function optionsForHost(host: string | undefined): readonly string[] {
  const dialect: ArchiveDialect = host === "" ? "docker-20.10" : newestArchiveDialect;
  return [`cleat.archive_dialect=${dialect}`];
}

/**
 * Reads the options of a driver by its table: values that a program gives by name, and an operator's `key=value`. Keys
 * are matched without regard to case, as Docker matches them; of several with one key the last counts, and what is
 * given by name before any of them.
 * @throws INVALID_ARGUMENT for a malformed or unknown option; whatever the table's `parse` throws.
 */
export function readDriverOptions<Table extends DriverOptionTable>(
  driver: string,
  { options = [], ...byName }: GivenOptions<Table>,
  table: Table,
): OptionValues<Table> {
  const values: Record<string, unknown> = {};
  for (const option of options) {
    const at = option.indexOf("=");
    if (at < 0) throw toOptionError(`${driver}: option ${JSON.stringify(option)} is not of the form key=value`, table);
    const key = keyOf(option);
    const known = Object.hasOwn(table, key) ? table[key] : undefined;
    if (known === undefined) throw toOptionError(`${driver}: unknown option ${JSON.stringify(key)}`, table);
    values[known.name] = known.parse(option.slice(at + 1).trim(), key);
  }
  const given: Readonly<Record<string, unknown>> = byName;
  for (const known of Object.values(table)) {
    const value = given[known.name];
    // Programs that no compiler checks give texts, too: "false" is not true.
    if (value !== undefined) values[known.name] = known.parse(String(value), known.name);
  }
  return values as OptionValues<Table>;
}

function keyOf(option: string): string {
  return option.slice(0, option.indexOf("=")).trim().toLowerCase();
}

function toOptionError(what: string, table: DriverOptionTable): CleatError {
  const known = Object.keys(table).toSorted();
  const advice = known.length === 0 ? "there are none" : `there are ${known.join(", ")}`;
  return new CleatError("INVALID_ARGUMENT", `${what}; ${advice}`);
}

/** With the default of each that was left out. */
export function toDiffOptions({
  archiveDialect = newestArchiveDialect,
  exactDiffs = false,
  strictAttributes = false,
}: OptionValues<typeof commonOptions>): DiffOptions {
  return { archiveDialect, exactDiffs, strictAttributes };
}

/**
 * Refuses a container's storage options. A size that is accepted and not enforced is worse than none.
 * @throws UNIMPLEMENTED for a size, INVALID_ARGUMENT for anything else.
 */
export function refuseStorageOptions(driver: string, id: string, options: Readonly<Record<string, string>> = {}): void {
  for (const key of Object.keys(options)) {
    if (key.toLowerCase() === "size") throw toSizeRefusal(driver);
    throw unknownStorageOption(id, key);
  }
}

/**
 * Reads the storage options of a container where a size can be enforced, in bytes.
 * @throws INVALID_ARGUMENT when the size is none, or for anything else.
 */
export function readStorageSize(id: string, options: Readonly<Record<string, string>> = {}): number | undefined {
  let sizeBytes: number | undefined;
  for (const [key, value] of Object.entries(options)) {
    if (key.toLowerCase() !== "size") throw unknownStorageOption(id, key);
    sizeBytes = parseSize(value, `layer "${id}": storage option "${key}"`);
  }
  return sizeBytes;
}

function parseDialect(value: string, key: string): ArchiveDialect {
  const dialect = archiveDialects.find((known) => known === value.toLowerCase());
  if (dialect !== undefined) return dialect;
  throw new CleatError("INVALID_ARGUMENT", `option "${key}" is "${value}", not ${archiveDialects.join(" or ")}`);
}

function unknownStorageOption(id: string, key: string): CleatError {
  return new CleatError("INVALID_ARGUMENT", `layer "${id}": unknown storage option "${key}"`);
}

export function toSizeRefusal(driver: string): CleatError {
  return new CleatError("UNIMPLEMENTED", `${driver}: a size cannot be enforced: this driver has no quotas`);
}

/** As Go's `strconv.ParseBool`. */
function parseBoolean(value: string, key: string): boolean {
  if (/^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw new CleatError("INVALID_ARGUMENT", `option "${key}" is "${value}", not true or false`);
}
