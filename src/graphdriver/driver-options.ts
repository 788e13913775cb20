import { CleatError } from "../errors/index.ts";
import { parseSize } from "./size.ts";

/** What every driver can be told of its diffs. */
export interface DiffOptions {
  /**
   * `cleat.archive_dialect`: whose archiver to follow, so that layers made anew have the digests that the engine's own driver
   * would give them. True for `docker-20.10`, which writes the host's names of owners and, in modes, the bits of file types;
   * false for `docker-26`, which writes neither, and is the default.
   *
   * Source: moby v20.10.24 and v26.1.5 `pkg/archive/archive.go`, `FileInfoHeader`. Names went with moby#43185 (v23; v20.10.27 by
   * moby#46695), type bits with moby#44083.
   */
  readonly userNames: boolean;
  /**
   * `cleat.exact_diffs`: keep of each archive that is applied what its tree does not (some hundredths of its size), and give it
   * back byte for byte. Default false.
   *
   * Told that a driver does so, Docker keeps no such data itself: it saves and pushes layers by `diff`, and checks their
   * digests. So the choice belongs to a store for good. Layers that Docker registered without the option are then made anew, and
   * those whose digests differ are refused by Docker; without the option, Docker cannot save those that it registered with it.
   * Source: moby v20.10.24 `layer/layer_store.go`, `useTarSplit`; the same until plugins were removed (moby#48143).
   */
  readonly exactDiffs: boolean;
}

const archiveDialects = ["docker-20.10", "docker-26"] as const;
type ArchiveDialect = (typeof archiveDialects)[number];

/**
 * The options of our drivers that follow from how an engine calls its plugins. Only Docker up to 20.10.24 and 23.0.6 sends an empty
 * `Host`; later ones send `plugin.moby.localhost` (moby#45942), over TCP all send the address. Who is told wrong by it (20.10.25 and
 * later, 23) has layers of other digests and the same content, and `cleat.archive_dialect`.
 */
export function optionsForHost(host: string | undefined): readonly string[] {
  const dialect: ArchiveDialect = host === "" ? "docker-20.10" : "docker-26";
  return [`cleat.archive_dialect=${dialect}`];
}

/** What to do with each option that only this driver knows; values come as typed. */
export type OptionReaders = Readonly<Record<string, (value: string, key: string) => void>>;

/**
 * Reads an operator's `key=value` options: hands those of `own` over, and returns those that every driver has. Keys are matched
 * without regard to case, as Docker matches them.
 * @throws INVALID_ARGUMENT for a malformed or unknown option.
 */
export function readDriverOptions(
  driver: string,
  options: readonly string[] = [],
  own: OptionReaders = {},
): DiffOptions {
  let userNames = false;
  let exactDiffs = false;
  const readers: OptionReaders = {
    "cleat.archive_dialect": (value, key) => (userNames = parseDialect(value, key) === "docker-20.10"),
    "cleat.exact_diffs": (value, key) => (exactDiffs = parseBoolean(value, key)),
    ...own,
  };
  for (const option of options) {
    const at = option.indexOf("=");
    if (at < 0) throw new CleatError("INVALID_ARGUMENT", `${driver}: option "${option}" is not of the form key=value`);
    const key = option.slice(0, at).trim().toLowerCase();
    const read = Object.hasOwn(readers, key) ? readers[key] : undefined;
    if (read === undefined) throw new CleatError("INVALID_ARGUMENT", `${driver}: unknown option "${key}"`);
    read(option.slice(at + 1).trim(), key);
  }
  return { userNames, exactDiffs };
}

/**
 * Refuses a container's storage options. A size that is accepted and not enforced is worse than none.
 * @throws UNIMPLEMENTED for a size, INVALID_ARGUMENT for anything else.
 */
export function refuseStorageOptions(driver: string, id: string, options: Readonly<Record<string, string>> = {}): void {
  for (const key of Object.keys(options)) {
    if (key.toLowerCase() === "size") throw sizeRefused(driver);
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

export function sizeRefused(driver: string): CleatError {
  return new CleatError("UNIMPLEMENTED", `${driver}: a size cannot be enforced: this driver has no quotas`);
}

/** As Go's `strconv.ParseBool`. */
export function parseBoolean(value: string, key: string): boolean {
  if (/^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw new CleatError("INVALID_ARGUMENT", `option "${key}" is "${value}", not true or false`);
}
