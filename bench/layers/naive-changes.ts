import { mkdir, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { vfs } from "cleat/drivers";
import { runCommand } from "../../test/harness/processes/command.ts";
import { debianGo } from "../../test/interop/go-program.ts";
import { openMemoryDisk } from "../measuring/memory-disk.ts";
import { median, type Measurement, timeMs } from "../measuring/measure.ts";
import { timeCommand } from "./timed.ts";

const folders = 300;
const filesEach = 100;
const fileBytes = 10_000;

/**
 * 30,000 files: a copy of them, beside `cp -a`; `changes` of a copy in which nobody changed any, with what the driver
 * wrote down when it copied them, beside moby's own comparison, and without, as for a copy of Docker's own; the medians
 * of `rounds`, in turns.
 */
export async function measureNaiveChanges(rounds: number): Promise<readonly Measurement[]> {
  await using disk = await openMemoryDisk();
  const home = `${disk.path}/home`;
  const moby = await buildMoby(disk.path);
  const driver = await vfs.open({ home, durability: "none" });
  try {
    await driver.create("base", {});
    const base = await driver.get("base", {});
    await fill(base);
    await driver.create("copy", { parent: "base" });
    const copy = await driver.get("copy", {});
    const copies = await inTurns(rounds, {
      cleat: async () => {
        const times = await timeMs(() => driver.create("another", { parent: "base" }));
        await driver.remove("another");
        return times;
      },
      other: async () => {
        const { wallMs } = await timeCommand(`cp --archive ${base} ${disk.path}/another`);
        await rm(`${disk.path}/another`, { recursive: true });
        return wallMs;
      },
    });
    const changes = () => timeMs(() => driver.changes("copy", "base"));
    const known = await inTurns(rounds, {
      cleat: changes,
      other: async () => (await timeCommand(`${moby} list ${copy} ${base}`)).wallMs,
    });
    await rm(`${home}/.cleat/layers/copy`);
    const unknown = await inTurns(rounds, { cleat: changes, other: async () => 0 });
    const row = (name: string, cleat: number, other: string, value: number, goal: number): Measurement => {
      return { name, unit: "ms", cleat, reference: { name: other, value }, goal };
    };
    return [
      row("vfs: create from a parent of 30,000 files", copies.cleat, "cp -a", copies.other, 0.7),
      row("changes of 30,000 untouched files", known.cleat, "moby", known.other, 0.7),
      row("changes of 30,000 untouched files, as recorded", known.cleat, "reads them all", unknown.cleat, 0.7),
    ];
  } finally {
    await driver.close();
  }
}

async function fill(root: string): Promise<void> {
  for (let folder = 0; folder < folders; folder++) {
    await mkdir(`${root}/${folder}`);
    for (let file = 0; file < filesEach; file++) await writeFile(`${root}/${folder}/${file}`, "x".repeat(fileBytes));
  }
}

/** The medians, after a round that is not counted. */
async function inTurns(rounds: number, work: { cleat(): Promise<number>; other(): Promise<number> }) {
  const times: { readonly cleat: number; readonly other: number }[] = [];
  for (let round = 0; round <= rounds; round++) {
    await runCommand(["sync"]);
    times.push({ cleat: await work.cleat(), other: await work.other() });
  }
  const of = (peer: "cleat" | "other") => median(times.slice(1).map((each) => each[peer]));
  return { cleat: of("cleat"), other: of("other") };
}

async function buildMoby(folder: string): Promise<string> {
  const program = `${folder}/layer-moby`;
  const env = { ...process.env, GO111MODULE: "off", GOFLAGS: "", GOPATH: debianGo };
  await runCommand(["go", "build", "-o", program, resolve("test/kernel/layer/moby.go")], { env });
  return program;
}
