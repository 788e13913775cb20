import { createHash } from "node:crypto";
import { CleatError, quoteText } from "../../errors/index.ts";
import { volumeNamePattern } from "../../volume/index.ts";

/**
 * What a volume is called that an orchestrator named, and by which it asks for it from then on. CSI takes nearly any
 * text for a name, drivers do not: a name that they take stays what it is ("pvc-…" of Kubernetes), any other becomes
 * its digest, the same one each time.
 *
 * Source: container-storage-interface/spec v1.9.0 `csi.proto`, CreateVolumeRequest.name.
 * @throws INVALID_ARGUMENT for no name, one of over 128 bytes, or one with control characters.
 */
export function toVolumeId(name: string): string {
  assertCsiName(name, "volume");
  return volumeNamePattern.test(name) && !isReserved(name) ? name : `${digestPrefix}${digestOf(name)}`;
}

/** The same for a snapshot, which is a volume of the driver's, too. @throws INVALID_ARGUMENT as `toVolumeId`. */
export function toSnapshotId(name: string): string {
  assertCsiName(name, "snapshot");
  const plain = `${snapshotPrefix}${name}`;
  const isPlain = volumeNamePattern.test(name) && !isReserved(name) && Buffer.byteLength(plain) <= maxNameBytes;
  return isPlain ? plain : `${snapshotPrefix}${digestPrefix}${digestOf(name)}`;
}

export const isSnapshotId = (id: string): boolean => id.startsWith(snapshotPrefix);

const digestPrefix = "csi-digest.";
const snapshotPrefix = "csi-snapshot.";

/** Names that would be taken for what is made here of other names. */
const isReserved = (name: string): boolean => name.startsWith(digestPrefix) || name.startsWith(snapshotPrefix);

const digestOf = (name: string): string => createHash("sha256").update(name).digest("hex");

/** The spec's limit for texts that set none of their own. */
const maxNameBytes = 128;
// oxlint-disable-next-line no-control-regex
const bannedCharacter = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

function assertCsiName(name: string, kind: string): void {
  if (name === "") throw new CleatError("INVALID_ARGUMENT", `${kind} has no name`);
  if (Buffer.byteLength(name) <= maxNameBytes && !bannedCharacter.test(name)) return;
  const rule = `at most ${maxNameBytes} bytes without control characters`;
  throw new CleatError("INVALID_ARGUMENT", `${kind} name ${quoteText(name)} is not ${rule}`);
}
