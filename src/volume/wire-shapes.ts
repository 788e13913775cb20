/** The places where the contract's shapes and those of Docker's protocol differ, both ways. */
import { isAbsolute } from "node:path";
import { quoteText, type SchemaIssue } from "../errors/index.ts";
import { fromWireTime, toWireTime } from "./created-at.ts";
import type { Volume } from "./driver.ts";
import { volumeNamePattern } from "./volume-name.ts";

export interface WireVolume {
  Name: string;
  Mountpoint?: string | undefined;
  CreatedAt?: string | undefined;
  Status?: Record<string, unknown> | undefined;
}

export function toWireVolume({ name, mountpoint, createdAt, status }: Volume): WireVolume {
  return { Name: name, Mountpoint: mountpoint, CreatedAt: toWireTime(createdAt), Status: status && { ...status } };
}

/** Of one in which `issuesIn` finds nothing. Empty is what Go leaves out. */
export function fromWireVolume({ Name, Mountpoint, CreatedAt, Status }: WireVolume): Volume {
  return { name: Name, mountpoint: Mountpoint || undefined, createdAt: fromWireTime(CreatedAt), status: Status };
}

/** Why a volume that a plugin sent is of no use to callers, who make paths of its name and open its mount point. */
export function issuesIn({ Name, Mountpoint }: WireVolume): SchemaIssue[] {
  const issues = mountpointIssues(Mountpoint);
  if (volumeNamePattern.test(Name)) return issues;
  return [{ path: "Name", problem: `${quoteText(Name)} names no volume` }, ...issues];
}

/** Of an empty mount point none: most volumes that are not mounted have none. */
export function mountpointIssues(mountpoint: string | undefined): SchemaIssue[] {
  if (mountpoint === undefined || mountpoint === "" || isUsablePath(mountpoint)) return [];
  return [{ path: "Mountpoint", problem: `${quoteText(mountpoint)} is not an absolute path` }];
}

/** Whether a system call could take it, whatever the folder this process runs in. */
export function isUsablePath(path: string): boolean {
  return isAbsolute(path) && !path.includes("\0");
}
