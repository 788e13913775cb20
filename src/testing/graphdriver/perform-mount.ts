import { spawnSync } from "node:child_process";
import { mkdtemp, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AssertionError } from "node:assert";
import type { MountSpec } from "../../graphdriver/index.ts";
import { MNT_DETACH, mount, MS_BIND, MS_RDONLY, MS_REC, MS_REMOUNT, umount2 } from "../../syscall/index.ts";
import type { GraphDriverContext } from "./context.ts";

/** Mounts a layer by what its driver says, without the driver, for as long as `visit` runs. */
export async function visitMounted<T>(
  context: GraphDriverContext,
  id: string,
  readOnly: boolean,
  visit: (path: string) => T | Promise<T>,
): Promise<T> {
  const spec = await mountSpecOf(context, id, readOnly);
  const target = await mkdtemp(join(context.scratch, "mounted-"));
  performMount(spec, target);
  try {
    return await visit(target);
  } finally {
    umount2(target, MNT_DETACH);
    await rmdir(target);
  }
}

/** The one mount of a layer. */
export async function mountSpecOf({ driver }: GraphDriverContext, id: string, readOnly: boolean): Promise<MountSpec> {
  const specs = (await driver.mounts?.(id, { readOnly })) ?? [];
  const [spec] = specs;
  if (spec !== undefined && specs.length === 1) return spec;
  throw new AssertionError({ message: `layer "${id}" is shown by ${specs.length} mounts, not by one` });
}

/**
 * As containerd v2.1.9 does it, `core/mount/mount_linux.go`: types with a dot are mounted by a program of that name.
 */
function performMount({ type, source, options }: MountSpec, target: string): void {
  const [helper, subtype] = type.split(".");
  if (subtype !== undefined) runHelper(`mount.${helper}`, subtype, source, options, target);
  else if (type === "bind") bindMount(source, options, target);
  else mountShortly(type, source, options, target);
}

function runHelper(program: string, subtype: string, source: string, options: readonly string[], target: string): void {
  const { status, stderr, error } = spawnSync(
    program,
    [source, target, ...options.flatMap((option) => ["-o", option]), "-t", subtype],
    { encoding: "utf8", timeout: 30_000 },
  );
  if (status !== 0) throw new AssertionError({ message: `${program}: ${error?.message ?? stderr}` });
}

/** The kernel makes a bind mount read-only only once it is there. */
function bindMount(source: string, options: readonly string[], target: string): void {
  const unknown = options.filter((option) => !["rbind", "rw", "ro"].includes(option));
  if (unknown.length > 0) throw new AssertionError({ message: `options of a bind mount: ${unknown.join()}` });
  mount(source, target, "", MS_BIND | MS_REC, "");
  if (options.includes("ro")) mount("", target, "", MS_REMOUNT | MS_BIND | MS_RDONLY, "");
}

/** In the folder that all layers lie in, so that their paths fit into the page that the kernel takes. */
function mountShortly(type: string, source: string, options: readonly string[], target: string): void {
  const lowerdir = options.find((option) => option.startsWith("lowerdir=")) ?? "";
  const home = dirname(dirname(lowerdir.slice("lowerdir=".length).split(":")[0] ?? "/"));
  const short = options.map((option) => (option === lowerdir ? option.replaceAll(`${home}/`, "") : option));
  const before = process.cwd();
  process.chdir(home);
  try {
    mount(source, target, type, 0, short.join(","));
  } finally {
    process.chdir(before);
  }
}
