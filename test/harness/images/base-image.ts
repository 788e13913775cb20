import { runCommand } from "../processes/command.ts";

/** The folder of the base image that tests change and compare. */
export const dataFolder = "/data";

/**
 * Writes an archive of a small system to `archive`: a shell and the tools that tests call, with the libraries they
 * need, and under `/data` one of every kind of file that a layer can hold, all of them last changed in 2001.
 */
export async function writeBaseArchive(archive: string): Promise<void> {
  await runCommand(["bash", "-c", script, "base-image", archive]);
}

const script = String.raw`
  set -euo pipefail
  umask 022
  root=$(mktemp -d /var/tmp/cleat-base-XXXXXX)
  trap 'rm -rf "$root"' EXIT
  cd "$root"

  mkdir -p bin etc tmp lib lib64 usr data
  chmod 1777 tmp
  echo 'root:x:0:0:root:/:/bin/sh' > etc/passwd
  cp "$(PATH=$PATH:/usr/sbin command -v busybox)" bin/busybox
  for applet in $(bin/busybox --list); do [ "$applet" = busybox ] || ln -s busybox "bin/$applet"; done
  for tool in setfattr getfattr setcap getcap; do
    path=$(PATH=$PATH:/usr/sbin:/sbin command -v $tool)
    cp "$path" bin/
    ldd "$path" | grep -o '/[^ ]*' | while read -r library; do cp --parents "$library" .; done
  done

  cd data
  for name in deleted modified truncated renamed chmodded chowned touched \
    became-folder capable linked noted symlinked-to; do
    echo "this is $name" > $name
  done
  for folder in deleted-folder renamed-folder replaced replaced/sub became-file untouched untouched/empty; do
    mkdir $folder
    echo "in $folder" > $folder/one
    echo "also in $folder" > $folder/two
  done
  rm untouched/empty/*
  ln -s symlinked-to symlink
  ln -s /nowhere untouched/dangling

  cd untouched
  chmod 4755 one
  mkdir closed sticky && chmod 0 closed && chmod 3777 sticky
  mkfifo pipe
  mknod null c 1 3
  mknod disk b 7 200
  chown 1000:2000 two
  echo shared > link-a && ln link-a link-b && ln link-a sticky/link-c
  echo net > with-capability && setcap cap_net_raw+ep with-capability
  echo note > with-attribute && setfattr -n user.note -v 0x00ff0a with-attribute
  setfattr -n user.folder -v yes sticky
  echo x > 'with space' && echo x > $'with\nline break' && echo x > $'not \xff\xfe UTF-8' && echo x > 'back\slash'
  echo x > "$(printf 'n%.0s' {1..255})"
  deep=$(printf '%0100d/' 1 2 3); mkdir -p "$deep" && echo deep > "$deep/file"
  ln -s "$(printf 'long/%.0s' {1..100})target" long-symlink
  truncate -s 1M sparse && echo end >> sparse
  head -c 3000000 /dev/zero | tr '\0' x > large
  cd "$root"

  find . -exec touch --no-dereference --date='2001-02-03 04:05:06.123456789 UTC' {} +
  tar --create --file="$1" --format=pax --xattrs --xattrs-include='*' --numeric-owner --sort=name .
`;
