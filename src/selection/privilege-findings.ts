import { readFileSync } from "node:fs";
import { isInUserNamespace } from "../syscall/index.ts";
import { unprivileged } from "../graphdriver/kit.ts";

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

export function examinePrivileges(): PrivilegeFindings {
  return {
    uid: process.geteuid?.() ?? 0,
    mayMount: unprivileged() === undefined,
    initialUserNamespace: !isInUserNamespace(),
    uidMap: readMap("/proc/self/uid_map"),
    gidMap: readMap("/proc/self/gid_map"),
  };
}

function readMap(file: string): string[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.map((line) => line.trim().split(/\s+/).join(" ")).filter((line) => line !== "");
}
