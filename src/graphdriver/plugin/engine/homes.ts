import { realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { isSystemError } from "../../../errors/index.ts";

/** The path without symlinks, as far as it is there. */
export function resolveHome(path: string): string {
  const rest: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    const found = ifThere(() => realpathSync(at));
    if (found !== undefined) return join(found, ...rest);
    rest.unshift(at.slice(dirname(at).length).replace(/^\//, ""));
  }
}

/** Whether two paths are one folder, or would be. */
export function isSameHome(one: string, other: string): boolean {
  if (resolveHome(one) === resolveHome(other)) return true;
  const [first, second] = [one, other].map((path) => ifThere(() => statSync(path, { bigint: true })));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES")) return undefined;
    throw error;
  }
}
