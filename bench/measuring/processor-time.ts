import { readFile } from "node:fs/promises";

/** The clock of proc(5) on every Linux that Node runs on: `getconf CLK_TCK`. */
const ticksPerSecond = 100;

/** The processor time that a process has taken, with that of its children that have ended. */
export async function processorMs(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/stat`, "latin1");
  // The name before them may hold anything, but it ends with the last bracket.
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((total, field) => total + Number(field), 0);
  return (ticks * 1000) / ticksPerSecond;
}
