import { scratchBase } from "./scratch.ts";

/**
 * Makes `$1`, the root of another release, that of the mount namespace which runs this script. What is written to it
 * goes to memory, so that many can use it at once and none leaves anything behind. From the machine come `/dev`,
 * `/proc`, `/sys`, the namespace's own `/run`, and under their own paths the scratch folders and the files or folders
 * `$2…`: Node, and this project. Plugins and engines so share one namespace, and what one mounts the other sees.
 *
 * `chroot` is not enough: runc remounts `/`, which must be a mount point (runc 1.1.15).
 */
export const changeRootScript = `
  root=$1
  shift
  mount -t tmpfs root /mnt
  mkdir /mnt/upper /mnt/work /mnt/merged
  mount -t overlay -o "lowerdir=$root,upperdir=/mnt/upper,workdir=/mnt/work" root /mnt/merged
  cd /mnt/merged
  for folder in dev proc sys run; do mount --rbind "/$folder" "$folder"; done
  for path in ${scratchBase} "$@"; do
    if [ -d "$path" ]; then mkdir -p ".$path"; else mkdir -p ".$(dirname "$path")"; touch ".$path"; fi
    mount --bind "$path" ".$path"
  done
  mkdir .old
  pivot_root . .old
  cd /
  umount -l /.old
  rmdir /.old
`;
