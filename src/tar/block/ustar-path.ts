import { fields } from "./block.ts";

const slash = 0x2f;

/**
 * Where to cut a name that is too long for the name field so that prefix and name fit ustar's two fields: the index of
 * the slash that is left out, -1 when there is none. The name is ASCII. Source: Go 1.19 `archive/tar/writer.go`,
 * `splitUSTARPath`: the last slash that leaves a prefix short enough, so as to choose the same bytes.
 */
export function ustarSplitIndex(name: Buffer): number {
  const maxPrefix = fields.ustarPrefix.bytes;
  let end = name.length;
  if (end > maxPrefix + 1) end = maxPrefix + 1;
  else if (name[end - 1] === slash) end--;
  const index = name.subarray(0, end).lastIndexOf(slash);
  const nameBytes = name.length - index - 1;
  return index > 0 && nameBytes > 0 && nameBytes <= fields.name.bytes ? index : -1;
}
