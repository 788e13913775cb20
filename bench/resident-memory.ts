import { readFile } from "node:fs/promises";

/** The most memory that a process ever held, start-up included: the kernel keeps count (`VmHWM`, proc(5)). */
export async function peakResidentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
