/**
 * What a process does to the base image's `/data`, and what `docker diff` must then say. Everything in here is a change
 * that all drivers can see.
 */
export const sampleChanges = {
  script: `
    set -e
    umask 022
    cd /data
    echo new > added
    mkdir added-folder
    echo inside > added-folder/inside
    rm deleted
    rm -r deleted-folder
    echo more >> modified
    : > truncated
    mv renamed renamed-to
    mv renamed-folder renamed-folder-to
    find renamed-folder-to -exec touch -d '2003-03-03 03:03:03' {} +
    chmod 4711 chmodded
    chown 7:8 chowned
    touch -d '2002-02-02 02:02:02' touched
    echo first > first-link
    ln first-link second-link
    ln -s added added-symlink
    ln -sfn elsewhere symlink
    setcap cap_net_raw+ep capable
    echo attributed > attributed
    setfattr -n user.note -v 0x00ff attributed
    mkfifo -m 644 pipe
    mknod -m 644 device c 1 3
    rm became-folder
    mkdir became-folder
    echo inside > became-folder/inside
    rm -r became-file
    echo file > became-file
    rm -r replaced
    mkdir replaced
    echo fresh > replaced/fresh
    echo again > replaced/one
  `,
  diff: [
    "A /data/added",
    "A /data/added-folder",
    "A /data/added-folder/inside",
    "A /data/added-symlink",
    "A /data/attributed",
    "A /data/became-folder/inside",
    "A /data/device",
    "A /data/first-link",
    "A /data/pipe",
    "A /data/renamed-folder-to",
    "A /data/renamed-folder-to/one",
    "A /data/renamed-folder-to/two",
    "A /data/renamed-to",
    "A /data/replaced/fresh",
    "A /data/second-link",
    "C /data",
    "C /data/became-file",
    "C /data/became-folder",
    "C /data/capable",
    "C /data/chmodded",
    "C /data/chowned",
    "C /data/modified",
    "C /data/replaced",
    "C /data/replaced/one",
    "C /data/symlink",
    "C /data/touched",
    "C /data/truncated",
    "D /data/deleted",
    "D /data/deleted-folder",
    "D /data/renamed",
    "D /data/renamed-folder",
    "D /data/replaced/sub",
    "D /data/replaced/two",
  ],
} as const;
