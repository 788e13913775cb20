import { CleatError } from "../errors/index.ts";
import { parseSize } from "./size.ts";

/** What every driver can be told of its diffs. */
export interface DiffOptions {
  /** `cleat.user_names`: write the host's names of owners into archives, as Docker up to 20.10 does. Default true. */
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
  /**
   * `cleat.strict_attributes`: refuse a layer with extended attributes that the file system cannot hold, instead of leaving them
   * out as Docker and containerd do. Default false.
   */
  readonly strictAttributes: boolean;
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
  let userNames = true;
  let exactDiffs = false;
  let strictAttributes = false;
  const readers: OptionReaders = {
    "cleat.user_names": (value, key) => (userNames = parseBoolean(value, key)),
    "cleat.exact_diffs": (value, key) => (exactDiffs = parseBoolean(value, key)),
    "cleat.strict_attributes": (value, key) => (strictAttributes = parseBoolean(value, key)),
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
  return { userNames, exactDiffs, strictAttributes };
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
