/**
 * What a folder holds, as far as a layer can tell: names as byte strings (latin1), relative to the folder, which is
 * itself left out because no layer sets its attributes.
 */
export type Tree = ReadonlyMap<string, TreeNode>;

export interface TreeNode {
  readonly type: "file" | "folder" | "symlink" | "fifo" | "character device" | "block device" | "socket";
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a file and a symlink. */
  readonly sizeBytes: number;
  /** SHA-256 of a file's content. */
  readonly contentHash?: string;
  /** Of a symlink, as a byte string. */
  readonly target?: string;
  /** Of a device, "1:3". */
  readonly device?: string;
  /** Nanoseconds since 1970; left out where nothing decides it. */
  readonly mtimeNs?: bigint | undefined;
  /** Values in hexadecimal. */
  readonly xattrs: Readonly<Record<string, string>>;
  /** All names of the file, sorted, where there are several. */
  readonly names?: readonly string[];
}

/**
 * What of a tree survives in a diff: times in whole seconds, of the attributes `security.capability` alone.
 * Source: moby v20.10.24 `pkg/archive/archive.go` `FileInfoHeader`, `ReadSecurityXattrToTarHeader`.
 */
export function asArchived(tree: Tree): Tree {
  const nodes = [...tree].map(([path, node]): [string, TreeNode] => {
    const { "security.capability": capability } = node.xattrs;
    const mtimeNs = node.mtimeNs === undefined ? undefined : (node.mtimeNs / second) * second;
    return [path, { ...node, mtimeNs, xattrs: capability === undefined ? {} : { "security.capability": capability } }];
  });
  return new Map(nodes);
}

/** The tree without the times of its folders, which change whenever something in them does. */
export function withoutFolderTimes(tree: Tree, except: ReadonlySet<string> = new Set()): Tree {
  const nodes = [...tree].map(([path, node]): [string, TreeNode] =>
    node.type === "folder" && !except.has(path) ? [path, { ...node, mtimeNs: undefined }] : [path, node],
  );
  return new Map(nodes);
}

/** The tree without its knowledge of which names are one file. */
export function withoutLinks(tree: Tree): Tree {
  return new Map([...tree].map(([path, { names: _names, ...node }]): [string, TreeNode] => [path, node]));
}

const second = 1_000_000_000n;
