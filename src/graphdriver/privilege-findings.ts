import { readFileSync } from "node:fs";
import { unprivileged } from "./folder-obstacles.ts";

/** What this process may do. */
export interface PrivilegeFindings {
  readonly uid: number;
  /** Whether it may mount: CAP_SYS_ADMIN, over its own user namespace. */
  readonly mayMount: boolean;
  /** Whether the ids here are those of the machine. */
  readonly initialUserNamespace: boolean;
  /** As the kernel prints them, a range a line: "0 100000 65536". */
  readonly uidMap: readonly string[];
  readonly gidMap: readonly string[];
}

/** Source: user_namespaces(7). */
const everyId = "0 0 4294967295";

export function examinePrivileges(): PrivilegeFindings {
  const uidMap = readMap("/proc/self/uid_map");
  return {
    uid: process.geteuid?.() ?? 0,
    mayMount: unprivileged() === undefined,
    initialUserNamespace: uidMap.length === 1 && uidMap[0] === everyId,
    uidMap,
    gidMap: readMap("/proc/self/gid_map"),
  };
}

function readMap(file: string): string[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.map((line) => line.trim().split(/\s+/).join(" ")).filter((line) => line !== "");
}
