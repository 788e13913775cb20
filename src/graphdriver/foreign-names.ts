/**
 * What stands at the top of a file system, and so in a home that has one of its own, and is nobody's layer: mkfs and
 * e2fsck(8) keep `lost+found`, quotacheck(8) its files, xfs_fsr(8) `.fsr`, NFS and FUSE files that are removed while
 * they are open, file managers a trash, snapper and NFS servers snapshots. It is known and left alone.
 */
const names: readonly string[] = [
  "lost+found",
  "aquota.user",
  "aquota.group",
  "aquota.project",
  "quota.user",
  "quota.group",
  "quota.project",
  ".journal",
  ".snapshot",
  ".snapshots",
  ".fscrypt",
];

const patterns: readonly RegExp[] = [
  /^\.Trash(?:-\d+)?$/,
  /^\.nfs[0-9a-f]+$/,
  /^\.fuse_hidden[0-9a-f]+$/,
  /^\.fsr/,
  /^a?quota\.(?:user|group|project)\.new$/,
];

/** Whether a name in a home, or where layers stand, is a file system's own. No layer may be called so. */
export function isOfFileSystem(name: string): boolean {
  return names.includes(name) || patterns.some((pattern) => pattern.test(name));
}
