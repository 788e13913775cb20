import { execFileSync, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { createScratch } from "../../harness/namespaces/scratch.ts";
import { type MachineContents, makeMachineImage } from "./machine-image.ts";
import { type MachineKind, ownKind } from "./machine-kinds.ts";

/** Disks as the guest sees them: the first is `/dev/vda`. Each is a new file system. */
export interface Disk {
  readonly size: string;
  readonly mkfs: string;
}

export interface MachineRun extends MachineContents {
  readonly disks: readonly Disk[];
  /** Default this machine's own processor. */
  readonly kind?: MachineKind;
  readonly timeoutMs: number;
  /** Told what the program prints, line by line. */
  onLine(line: string): void;
}

/**
 * Boots Debian's kernel in a virtual machine and runs a program there as root. The processor is emulated: all takes
 * some twenty times as long. Rejects with the machine's console when the program fails, or the time is up.
 */
export async function runInMachine(run: MachineRun): Promise<void> {
  const { disks, timeoutMs, onLine, kind = ownKind, ...contents } = run;
  await using scratch = await createScratch();
  const inScratch = (name: string) => join(scratch.path, name);
  makeMachineImage(inScratch("tree"), inScratch("initrd"), kind, contents);
  const images = disks.map(({ size, mkfs }, at) => makeDisk(inScratch(`disk${at}`), size, mkfs));
  const options = [
    "-accel tcg,thread=multi -smp 2 -m 2048 -nodefaults -no-reboot -display none".split(" "),
    ["-kernel", join(kind.kernelFolder, `boot/vmlinuz-${kind.kernelVersion()}`), "-initrd", inScratch("initrd")],
    ["-append", `${kind.kernelArguments} quiet panic=-1`],
    kind.options(inScratch("console")),
    ...images.map((path) => ["-drive", `file=${path},format=raw,if=virtio,cache=unsafe`]),
  ].flat();
  const lines = await runMachine(kind.emulator, options, timeoutMs, onLine);
  if (lines.at(-1) === '{"ended":0}') return;
  const console = await readFile(inScratch("console"), "utf8");
  throw new Error(`the program in the machine failed: ${lines.at(-1)}: ${console}`);
}

function makeDisk(path: string, size: string, mkfs: string): string {
  execFileSync("sh", ["-c", `truncate -s ${size} "$1" && ${mkfs} "$1" >/dev/null`, "sh", path]);
  return path;
}

/** Returns the lines that came over the second serial line. */
async function runMachine(
  emulator: string,
  options: readonly string[],
  timeoutMs: number,
  onLine: (line: string) => void,
): Promise<string[]> {
  const machine = spawn(emulator, options, { stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs });
  const lines: string[] = [];
  let rest = "";
  let said = "";
  machine.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  machine.stdout.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      lines.push(line);
      if (!line.startsWith('{"ended"')) onLine(line);
    }
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    machine.on("error", reject).on("close", (...ended) => resolve(ended));
  });
  if (machine.killed) throw new Error(`the virtual machine did not end within ${timeoutMs / 1000} s: ${lines.at(-1)}`);
  if (code === 0) return lines;
  throw new Error(`the virtual machine ended with ${signal ?? `code ${code}`}: ${said}`);
}
