import { readFile } from "node:fs/promises";

/** The memory that a process holds now. */
export async function residentMib(pid: number): Promise<number> {
  return readMib(pid, "VmRSS");
}

/** The most memory that a process ever held, start-up included: the kernel keeps count (`VmHWM`, proc(5)). */
export async function peakResidentMib(pid: number): Promise<number> {
  return readMib(pid, "VmHWM");
}

async function readMib(pid: number, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
}
