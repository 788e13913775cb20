/**
 * How much of a tree to list. What Docker archives itself (`commit`, `build`) has times in whole seconds and, of the
 * extended attributes, `security.capability` alone (moby v20.10.24 `pkg/archive/archive.go`, `FileInfoHeader` and
 * `ReadSecurityXattrToTarHeader`).
 */
export type Fidelity = "exact" | "archived";

/**
 * What a folder holds, as lines that compare: each entry's name, type, mode, owner, links, size, device, target, time,
 * content and extended attributes. Times of our day are shown as "now", since no two runs share them; the links and
 * sizes of folders are the file system's own affair and left out.
 */
export async function listTree(
  run: (argv: readonly string[]) => Promise<string>,
  folder: string,
  fidelity: Fidelity = "exact",
): Promise<readonly string[]> {
  const [time, attributes] = fidelity === "exact" ? ["%T@", "-"] : ["%Ts", "^security\\.capability$"];
  return (await run(["bash", "-c", script, "list-tree", folder, time, attributes])).split("\n");
}

const script = String.raw`
  set -euo pipefail
  export LC_ALL=C
  cd "$1"
  find . -newermt 2020-01-01 -printf '%p time now\n' -o -printf "%p time $2\n" | sort
  find . -type d -printf '%p folder %#m %U:%G\n' -o -printf '%p %y %#m %U:%G %n links, %s bytes -> %l\n' | sort
  find . '(' -type c -o -type b ')' -exec stat --format='%n device %t:%T' {} + | sort
  find . -type f -print0 | sort -z | xargs -0 sha256sum
  find . -print0 | sort -z | xargs -0 getfattr --no-dereference --dump --match="$3" --encoding=hex |
    sed 's|^# file: \./|# file: |' # as earlier releases say it
`;
