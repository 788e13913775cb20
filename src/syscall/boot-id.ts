import { readFileSync } from "node:fs";
import { isSystemError } from "../errors/index.ts";

let known: string | undefined;

/** Which boot of the machine this is; "" where that is not shown. Source: proc(5). */
export function bootId(): string {
  return (known ??= readBootId());
}

function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch (error) {
    if (isSystemError(error)) return "";
    throw error;
  }
}
