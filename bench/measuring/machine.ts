import { arch, availableParallelism, cpus, release, totalmem } from "node:os";

/** What figures depend on, in one line. */
export function describeMachine(): string {
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  const processor = cpus()[0]?.model.trim() || arch();
  const cores = availableParallelism();
  return `${cores} cores of ${processor}, ${memoryGib} GiB, Linux ${release().split("-")[0]}, Node ${process.version}`;
}
