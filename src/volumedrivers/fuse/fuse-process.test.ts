/** Programs that fail before they have mounted anything, each in its own way. */
import { spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startFuse, trimLog } from "./fuse-process.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "cleat-fuse-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const start = (script: string, signal = AbortSignal.timeout(30_000), program = "sh") =>
  startFuse({ target: join(folder, "target"), folder }, { program, args: ["-c", script] }, signal);

const onDiskBytes = (path: string) => statSync(path).blocks * 512;

const openFiles = () => readdirSync("/proc/self/fd").length;

describe("a program", () => {
  it.each([
    ["ends with a status", "exit 7", "UNKNOWN", "sh: ended with status 7"],
    ["ends without a mount", "exit 0", "UNKNOWN", "sh: ended with status 0"],
    ["is killed", "kill -9 $$", "UNKNOWN", "sh: was killed by SIGKILL"],
    ["says why", "echo one; echo connection refused >&2; exit 1", "UNAVAILABLE", "sh: one; connection refused"],
  ])("that %s is told of", async (_how, script, code, message) => {
    await expect(start(script)).rejects.toMatchObject({ code, message });
  });

  it("that is not there is told of", async () => {
    const starting = start("", undefined, "no-such-program");
    await expect(starting).rejects.toMatchObject({
      code: "UNIMPLEMENTED",
      message: 'program "no-such-program" is not there',
    });
  });

  it("that may not be run is named, and keeps no descriptor", async () => {
    const program = join(folder, "program");
    writeFileSync(program, "");
    chmodSync(program, 0o600);
    await expect(start("", undefined, program)).rejects.toThrow(program);
    const before = openFiles();
    await expect(start("", undefined, program)).rejects.toThrow(program);
    await expect(start("", undefined, "with\0nul")).rejects.toThrow();
    expect(openFiles()).toBe(before);
  });

  it("that says more than can be read at once is told of by the end of it", async () => {
    const starting = start("truncate --size 3G fuse.log; echo the end >&2; exit 1");
    await expect(starting).rejects.toMatchObject({ message: expect.stringMatching(/the end$/) });
  });

  it("that talks on and on before it mounts does not fill the disk", async () => {
    const talks = "while :; do dd if=/dev/zero bs=1M count=40 2>/dev/null; sleep 0.2; done";
    await expect(start(talks, AbortSignal.timeout(1_500))).rejects.toThrow();
    expect(onDiskBytes(join(folder, "fuse.log"))).toBeLessThan(100 * 2 ** 20);
  });
});

it("a log that grows too large gives its room back, but for its end", async () => {
  const log = join(folder, "fuse.log");
  writeFileSync(log, "word\n".repeat(1_000_000));
  await truncate(log, 3 * 2 ** 30);
  appendFileSync(log, "the end");
  await trimLog(folder);
  expect(onDiskBytes(log)).toBeLessThan(10_000);
  expect(statSync(log).size).toBe(3 * 2 ** 30 + "the end".length);
});

it("nothing that is said while a log is trimmed is lost", async () => {
  const log = join(folder, "fuse.log");
  const counting = `i=0; while [ $i -lt 20000 ]; do printf '%0500d\\n' $i; i=$((i+1)); done >> "${log}"`;
  const said = spawn("sh", ["-c", counting]);
  let isOver = false;
  said.once("exit", () => (isOver = true));
  while (!isOver) {
    await trimLog(folder);
    const words = existsSync(log) ? readFileSync(log, "utf8") : "";
    const whole = words.replaceAll("\0", "").split("\n").slice(1, -1).map(Number);
    expect(whole).toEqual(Array.from(whole, (_, index) => whole[0]! + index));
    await nextTurn();
  }
});
