/**
 * Where drivers are known to fall short of the contract, each with what they do instead. One that holds after all fails
 * its test, so the lists cannot go stale. Moby's drivers are those of v20.10.24, as Debian packages it.
 */
type Failures = Readonly<Record<string, string>>;

/** Of Cleat's with the program of that name, version 1.10. */
export const fuseOverlayfsFailures: Failures = {
  ...because("a symlink that the program copies up gets the time of that", "changes/owner", "commit/owner"),
  ...because(
    "the program counts a file's names as they are looked up (containers/fuse-overlayfs issue 435): the first has none",
    "changes/hard-links",
    "commit/hard-links",
    "size/of-container",
  ),
  ...because("a FIFO of the image cannot be copied up: EIO", "union/attributes", "union/link"),
  ...because(
    "a FIFO that is renamed becomes a file; a folder made anew over a deleted one shows that one when it is renamed",
    "union/rename",
    "union/renameWithoutReplacing",
  ),
  ...because("a container's own folder cannot be exchanged: EXDEV", "union/exchange"),
  ...because("an open file without a name still counts one", "union/stories"),
};

/**
 * Of overlay2 in a user namespace, where the kernel may open no file by its handle. Source: Linux v6.6
 * `fs/overlayfs/export.c`.
 */
export const namespacedOverlay2Failures: Failures = because(
  "a file of the image that is copied up under one of its names has another inode number under the other",
  "union/link",
  "union/stories",
);

/** What both of moby's inherit from the archiver and the naive diff that they share. */
const shared: Failures = {
  ...because("calls for one layer do not wait for one another", "giving-up/waiting"),
  ...because("a second Create of an id is accepted, and the two are mixed", "life/create-twice", "life/create-at-once"),
  ...because(
    "ApplyDiff unpacks in place and is not all or nothing: what came before the failure stays in the layer",
    "giving-up/apply",
    "broken/checksum",
    "broken/file-gigabytes",
    "broken/link-to-folder",
    "broken/link-to-nothing",
    "broken/name-gigabytes",
    "broken/name-too-long",
    "broken/negative-size",
    "broken/parent-is-file",
    "broken/path-too-long",
    "broken/pax-gigabytes",
    "broken/pax-malformed",
    "broken/pax-nul",
    "broken/stream-fails",
    "broken/truncated-content",
    "broken/truncated-header",
  ),
  ...because(
    "the attack is refused, in a chroot besides, but the entries before it stay in the layer",
    "breakout/absolute-symlink",
    "breakout/hard-link-into",
    "breakout/hard-link-symlink",
    "breakout/proc-root",
    "breakout/relative-symlink",
    "breakout/symlink-and-back",
    "breakout/symlink-chain",
    "breakout/symlink-in-symlink",
  ),
  ...because(
    "no byte at all is taken for an empty layer, so an upload that is retried without its body succeeds",
    "broken/no-bytes",
  ),
  ...because("an archive cut in the padding of its last file is taken for whole", "broken/truncated-padding"),
  ...because("a second diff is mixed with the first", "broken/second-apply"),
  ...because("a whiteout that comes after the file it names fails or deletes that file", "whiteout/file-then"),
  ...because("a whiteout that comes after the folder it names fails, or deletes that folder", "whiteout/folder-then"),
  ...because("the size of a sparse file is allocated: its holes are written as zeros", "apply/sparse"),
  ...because("a time before 1970 becomes 1970", "apply/times"),
  ...because("an attribute without a value is lost", "apply/user-xattrs"),
  ...because("an owner that is in no map fails when the entries before it are unpacked already", "idmap/unmapped"),
  ...because("changes come in the order of a walk", "changes/sorted"),
  ...because("a capability that is none is refused, but its file stays", "attributes/capability"),
  ...because(
    "the lists and the setgid bit that the home gives are on each layer's root",
    "access/default-acl",
    "access/setgid",
  ),
  ...because(
    "a file of the same size and time counts as unchanged",
    "same-times/rewritten",
    "same-times/renamed-over",
    "same-times/applied",
    "same-times/siblings",
    "same-times/folders-moved",
    "same-times/folders-moved-in-others",
    "same-times/files-exchanged",
  ),
  ...because(
    "what an archive brought before its sender broke off stays",
    ...["error", "abort", "coded", "system", "text", "nothing", "strings", "numbers"].map((how) => `sender/${how}`),
  ),
  ...because(
    "a layer is filled in place: who looks meanwhile, or after a failure, sees a part of it",
    ...["get", "create", "diff", "changes", "diffSize"].flatMap((method) => [
      `while-filled/${method}`,
      `while-undone/${method}`,
    ]),
  ),
  ...because("Go's JSON turns what is not UTF-8 into U+FFFD", "changes/bytes"),
};

export const mobyOverlay2Failures: Failures = {
  ...shared,
  ...because("a time of whole seconds counts as equal to any in that second", "same-times/steps-of-a-build"),
  ...because(
    "a diff that failed cannot be applied once more: its whiteouts are there",
    "while-undone/exists",
    "while-undone/metadata",
    "while-undone/diffGetter",
  ),
  ...because(
    "what does not exist has an empty diff, no changes and no size",
    "unknown/diff",
    "unknown/diff-parent",
    "unknown/changes-parent",
    "unknown/diffSize-parent",
  ),
  ...because(
    "a diff for a layer that does not exist is unpacked into a folder that nobody removes",
    "unknown/applyDiff",
  ),
  ...because("a diff is unpacked below the mount of a running container", "mount/apply-refused"),
  ...because(
    "a folder of the layer below that the archive only implies gets mode 0755: /tmp is no longer sticky",
    "apply/implied-parent-of-lower",
  ),
  ...because(
    "a folder that replaces a whiteout or a file is not made opaque: what was hidden below shows again",
    "whiteout/then-folder",
    "whiteout/kinds-at-once",
  ),
  ...because(
    "a folder that the archive hides is none to what follows, and one that it made cannot be hidden",
    "implied/device",
    ...implied("hidden", "hidden-deeper", "hidden-below", "hidden-twice", "hidden-kinds", "hidden-announced"),
    ...implied("only-hidden", "hidden-opaque"),
  ),
  ...because("a symlink to a folder that the layer itself does not have leads nowhere", ...implied("symlink")),
  ...because("an opaque marker at the root is without effect", ...implied("root", "root-folders", "root-whiteouts")),
  ...because(
    "a whiteout where nothing is to be hidden is a name that nobody can open",
    "implied/bottom",
    ...implied("opaque-whiteouts", "useless"),
  ),
  ...because(
    "a folder of the layer below that the archive only implies gets mode 0755, and has none of its attributes",
    "access/of-the-layer",
    ...implied("opaque"),
  ),
  ...because(
    "a whiteout of no name is refused, but the layer has changed",
    "whiteout/no-name",
    "whiteout/this-folder",
    "whiteout/parent-folder",
  ),
  ...because(
    "the attack is refused, but the entries before it stay in the layer",
    "breakout/opaque-symlink",
    "breakout/whiteout-root",
    "breakout/whiteout-symlink",
  ),
};

export const mobyVfsFailures: Failures = {
  ...shared,
  ...because("the folder of the layer is made before the parent is looked for, and stays", "life/missing-parent"),
  ...because("metadata of what does not exist is empty", "unknown/metadata"),
  ...because("hard links of symlinks become symlinks of their own in the copy", "apply/hard-links"),
  ...because("of the extended attributes the copy has security.capability alone", "apply/trusted-xattrs"),
  ...because(
    "folders that the archive implies are made with mode 0600, in which only root can look for a file",
    "apply/deep",
    "apply/implied-parents",
    "apply/implied-parent-of-lower",
  ),
  ...because(
    "so are those that it hides and then implies; a whiteout that comes last deletes what the archive brought",
    "access/of-the-layer",
    "implied/bottom",
    ...implied("hidden", "hidden-deeper", "hidden-below", "hidden-twice", "hidden-kinds", "hidden-announced"),
    ...implied("hidden-opaque", "opaque", "root-folders", "root-whiteouts"),
  ),
  ...because(
    "folders are made for whiteouts that hide nothing",
    ...implied("only-hidden", "opaque-whiteouts", "useless"),
  ),
  ...because(
    "a file of the layer below does not give way to a folder that the archive implies, nor does overlay's whiteout",
    "implied/device",
    ...implied("over-file", "opaque-file"),
  ),
  ...because("folders that the archive implies belong to the host's root", "idmap/apply"),
  ...because("the diff of a layer without a parent has the owners of the host", "idmap/diff"),
  ...because(
    "a whiteout of no name, or of ., is taken for one of its own folder, which it deletes",
    "whiteout/no-name",
    "whiteout/this-folder",
  ),
  ...because("the whiteout .wh... deletes the folder above: all of the layer", "whiteout/parent-folder"),
};

function implied(...checks: readonly string[]): string[] {
  return checks.map((check) => `implied/${check}`);
}

function because(reason: string, ...checks: readonly string[]): Failures {
  return Object.fromEntries(checks.map((check) => [check, reason]));
}
