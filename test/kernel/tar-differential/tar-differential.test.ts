/**
 * What GNU tar, libarchive and Go's `archive/tar` make of an archive and what a layer becomes of it: the same, or the layer is
 * refused. Where readers disagree, what one of them looked at is not what another unpacks.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";

import { apply, readTree } from "../../../src/layer/tree/trees.test.support.ts";
import { readArchive } from "../../../src/tar/reading/crafted.test.support.ts";
import { buildGoProgram } from "../../interop/go-program.ts";
import { describeWith, needs } from "../../needs.ts";
import { byDayOrNight } from "../../night.ts";
import { makeScratch } from "../layer-overlay-mount.support.ts";
import { mutatedArchive } from "./mutate-archive.ts";

const [count] = byDayOrNight([60], [5000]) as [number];
const first = Number(process.env["CLEAT_SEED"] ?? 0);

interface Entry {
  readonly Type: string;
  readonly Name: string;
  readonly Link: string;
  readonly Size: number;
  readonly Mode: number;
  readonly Uid: number;
  readonly Gid: number;
  readonly Time: number;
  readonly Content: string;
}

describeWith([needs.root, needs.go, needs.bsdtar], "an archive that was tampered with", () => {
  let scratch: ReturnType<typeof makeScratch>;
  let program: string;
  beforeAll(async () => {
    scratch = makeScratch("differential");
    program = await buildGoProgram(`${import.meta.dirname}/go`, scratch.path);
  }, 120_000);
  afterAll(() => scratch.remove());

  it("is read as others read it, or refused", { timeout: 3_600_000 }, () => {
    const tallies: Record<string, number> = {};
    const findings: string[] = [];
    for (let seed = first; seed < first + count; seed++) {
      for (const [peer, verdict] of Object.entries(compare(seed))) {
        const kind = `${peer}: ${verdict.split(":")[0]}`;
        tallies[kind] = (tallies[kind] ?? 0) + 1;
        if (verdict.startsWith("differs")) findings.push(`seed ${seed}, ${peer} ${verdict}`);
      }
    }
    console.log(JSON.stringify(tallies));
    expect(findings.slice(0, 20)).toEqual([]);
  });

  function compare(seed: number): Record<string, string> {
    const bytes = mutatedArchive(seed);
    const archive = `${scratch.path}/${seed}.tar`;
    fs.writeFileSync(archive, bytes);
    try {
      const ours = fold("ours", seed, (folder) => void apply(folder, bytes));
      if (typeof ours === "string") return { ours: "refuses" };
      return {
        ours: "accepts",
        go: asGo(archive, bytes),
        tar: asTree(ours, fold("tar", seed, (folder) => unpack("tar", ["-x", "--numeric-owner", "-p", "-f", archive], folder))),
        bsdtar: asTree(ours, fold("bsdtar", seed, (folder) => unpack("bsdtar", ["-x", "--numeric-owner", "-p", "-f", archive], folder))),
      };
    } finally {
      fs.rmSync(archive);
    }
  }

  /** The tree that `fill` makes, or why it did not. */
  function fold(name: string, seed: number, fill: (folder: string) => void): Record<string, string> | string {
    const folder = `${scratch.path}/${name}-${seed}`;
    fs.mkdirSync(folder);
    try {
      fill(folder);
      return readTree(folder, { times: false });
    } catch (error) {
      return (error as Error).message;
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  }

  function asGo(archive: string, bytes: Buffer): string {
    const { Error: failure, Entries: theirs } = JSON.parse(
      spawnSync(program, [archive], { encoding: "utf8", maxBuffer: 2 ** 26 }).stdout,
    ) as { Error: string; Entries: Entry[] | null };
    if (failure !== "") return `differs: it says ${failure}`;
    const ours = readArchive(bytes).map(({ header, content }) => ({
      name: header.name.toString("latin1"),
      link: header.linkName.toString("latin1"),
      size: header.type === "file" ? header.sizeBytes : 0,
      mode: header.mode,
      owner: `${header.uid}:${header.gid}`,
      time: header.mtimeSeconds,
      content: createHash("sha256").update(content).digest("hex"),
    }));
    const listed = (theirs ?? []).map((one) => ({
      name: Buffer.from(one.Name, "base64").toString("latin1"),
      link: Buffer.from(one.Link, "base64").toString("latin1"),
      size: Buffer.from(one.Type, "base64").toString() === "0" ? one.Size : 0,
      mode: one.Mode,
      owner: `${one.Uid}:${one.Gid}`,
      time: one.Time,
      content: one.Content,
    }));
    return same(ours, listed);
  }
});

function unpack(tool: string, args: readonly string[], cwd: string): void {
  const env = { ...process.env, LC_ALL: "C.UTF-8" };
  const { status, stderr } = spawnSync(tool, args, { cwd, env });
  if (status !== 0) throw new Error(String(stderr));
}

function asTree(ours: Record<string, string>, theirs: Record<string, string> | string): string {
  return typeof theirs === "string" ? `refuses: ${theirs}` : same(ours, theirs);
}

function same(ours: unknown, theirs: unknown): string {
  const [one, other] = [JSON.stringify(ours), JSON.stringify(theirs)];
  return one === other ? "agrees" : `differs: ours ${one.slice(0, 1500)}\n theirs ${other.slice(0, 1500)}`;
}
