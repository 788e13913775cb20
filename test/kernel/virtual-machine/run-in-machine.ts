import { execFileSync, spawn } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { createScratch } from "../../engine/harness/scratch.ts";
import { kernelImage, makeMachineImage } from "./machine-image.ts";

/** Disks as the guest sees them: the first is `/dev/vda`. Each is a new file system. */
export interface Disk {
  readonly size: string;
  readonly mkfs: string;
}

export interface MachineRun {
  /** A program of Node's in a folder of its own, all of which comes along; it must be called `guest.mjs`. */
  readonly program: string;
  readonly disks: readonly Disk[];
  readonly timeoutMs: number;
}

const memory = "1536M";

/**
 * Boots Debian's kernel in a virtual machine, runs a program there as root, and returns what it printed, line by line. The
 * processor is emulated: all takes some twenty times as long. Rejects with the machine's console when the program fails, or the
 * time is up.
 */
export async function runInMachine({ program, disks, timeoutMs }: MachineRun): Promise<string[]> {
  await using scratch = await createScratch();
  const inScratch = (name: string) => join(scratch.path, name);
  await mkdir(inScratch("tree"));
  makeMachineImage(inScratch("tree"), program, inScratch("initrd"));
  const images = disks.map(({ size, mkfs }, at) => makeDisk(inScratch(`disk${at}`), size, mkfs));
  const results = inScratch("results");
  const console = await runMachine(
    [
      ...["-accel", "tcg,thread=multi", "-smp", "2", "-m", memory, "-nodefaults", "-no-reboot", "-display", "none"],
      ...["-kernel", kernelImage(), "-initrd", inScratch("initrd")],
      ...["-append", "console=ttyS0 quiet panic=-1"],
      ...["-serial", "stdio", "-serial", `file:${results}`],
      ...images.flatMap((path) => ["-drive", `file=${path},format=raw,if=virtio,cache=unsafe`]),
    ],
    timeoutMs,
  );
  const lines = (await readFile(results, "utf8")).split("\n").filter((line) => line !== "");
  if (lines.pop() !== '{"ended":0}') throw new Error(`the program in the machine failed: ${console}`);
  return lines;
}

function makeDisk(path: string, size: string, mkfs: string): string {
  execFileSync("sh", ["-c", `truncate -s ${size} "$1" && ${mkfs} "$1" >/dev/null`, "sh", path]);
  return path;
}

/** Returns what the machine's console said. */
async function runMachine(options: readonly string[], timeoutMs: number): Promise<string> {
  const machine = spawn("qemu-system-x86_64", options, { stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs });
  let said = "";
  for (const stream of [machine.stdout, machine.stderr])
    stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    machine.on("error", reject).on("close", (...ended) => resolve(ended));
  });
  if (code === 0) return said;
  throw new Error(`the virtual machine ended with ${signal ?? `code ${code}`}: ${said}`);
}
