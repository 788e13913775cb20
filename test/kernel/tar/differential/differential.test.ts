/**
 * What GNU tar, libarchive and Go's `archive/tar` make of an archive and what a layer becomes of it: the same, or the
 * layer is refused. Where readers disagree, what one of them looked at is not what another unpacks.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { normalize } from "node:path";
import { inspect, isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

import { apply, readTree } from "../../../../src/layer/tree/trees.test.support.ts";
import { readArchive } from "../../../../src/tar/reading/crafted.test.support.ts";
import { buildGoProgram } from "../../../interop/go-program.ts";
import { describeWith, needs } from "../../../needs.ts";
import { byDayOrNight } from "../../../night.ts";
import { makeScratch } from "../../layer/overlay-mount.support.ts";
import { mutatedArchive } from "./mutate-archive.ts";

const [count] = byDayOrNight([40], [Number(process.env["CLEAT_CASES"] ?? 5000)]) as [number];
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
  readonly Major: number;
  readonly Minor: number;
  readonly Content: string;
}

describeWith([needs.root, needs.go, needs.bsdtar], "an archive that was tampered with", () => {
  let scratch: ReturnType<typeof makeScratch>;
  let program: string;
  beforeAll(async () => {
    scratch = makeScratch("differential");
    program = await buildGoProgram(`${import.meta.dirname}/go`, scratch.path);
  });
  afterAll(() => scratch.remove());

  it("is read as others read it, or refused", () => {
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
    expect(findings.slice(0, 40)).toEqual([]);
  });

  function compare(seed: number): Record<string, string> {
    const bytes = mutatedArchive(seed);
    const archive = `${scratch.path}/${seed}.tar`;
    fs.writeFileSync(archive, bytes);
    try {
      const entries = entriesOf(bytes);
      if (entries === undefined) return { reader: "refuses" };
      const ours = fold("ours", seed, (folder) => void apply(folder, bytes));
      const read = { reader: "accepts", go: asGo(archive, entries) };
      if (typeof ours === "string") return { ...read, layer: "refuses" };
      const known = knownDifference(bytes, entries);
      if (known !== undefined) return { ...read, layer: "accepts", [known]: "known" };
      return {
        ...read,
        layer: "accepts",
        tar: asTree(
          ours,
          fold("tar", seed, (folder) =>
            unpack("tar", ["-x", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-p", "-f", archive], folder),
          ),
        ),
        bsdtar: asTree(
          ours,
          fold("bsdtar", seed, (folder) =>
            unpack("bsdtar", ["-x", "--xattrs", "--numeric-owner", "-p", "-f", archive], folder),
          ),
        ),
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

  function asGo(archive: string, ours: object): string {
    const { Error: failure, Entries: theirs } = JSON.parse(
      spawnSync(program, [archive], { encoding: "utf8", maxBuffer: 2 ** 26 }).stdout,
    ) as { Error: string; Entries: Entry[] | null };
    if (failure !== "") return `refuses: ${failure}`;
    return same(ours, (theirs ?? []).flatMap(toListed));
  }
});

interface Listed {
  readonly type: string;
  readonly name: string;
  readonly link: string;
  readonly size: number;
  readonly mode: number;
  readonly owner: string;
  readonly time: number;
  readonly content: string;
}

/** What is compared; `undefined` where the archive is refused. */
function entriesOf(bytes: Buffer): Listed[] | undefined {
  try {
    return readArchive(bytes).map(({ header, content }) => ({
      type:
        header.type === "character-device" ? `${header.type} ${header.deviceMajor}:${header.deviceMinor}` : header.type,
      name: header.name.toString("latin1"),
      link: header.linkName.toString("latin1"),
      size: header.type === "file" ? header.sizeBytes : 0,
      mode: header.mode,
      owner: `${header.uid}:${header.gid}`,
      time: header.mtimeSeconds,
      content: createHash("sha256").update(content).digest("hex"),
    }));
  } catch {
    return undefined;
  }
}

const types: Record<string, string> = {
  0: "file",
  7: "file",
  S: "file",
  1: "hardlink",
  2: "symlink",
  3: "character-device",
  4: "block-device",
  5: "directory",
  6: "fifo",
};

/** Global headers and volume labels are entries to Go alone. */
function toListed(one: Entry): Listed[] {
  const text = (field: "Type" | "Name" | "Link") => Buffer.from(one[field], "base64").toString("latin1");
  if ("gV".includes(text("Type"))) return [];
  return [
    {
      type: types[text("Type")] + (text("Type") === "3" ? ` ${one.Major}:${one.Minor}` : ""),
      name: text("Name"),
      // Go keeps also what no link has.
      link: "12".includes(text("Type")) ? text("Link") : "",
      size: "123456".includes(text("Type")) ? 0 : one.Size,
      mode: one.Mode,
      owner: `${one.Uid}:${one.Gid}`,
      time: one.Time,
      content: one.Content,
    },
  ];
}

/** What is not held against a reader, and why. */
function knownDifference(bytes: Buffer, entries: readonly Listed[]): string | undefined {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const isGnu = bytes.toString("latin1", at + 257, at + 265) === "ustar  \0";
    const isLink = "12".includes(String.fromCharCode(bytes[at + 156] as number)) && bytes[at + 157] === 0;
    if (isGnu && isLink)
      return "libarchive 3.6 makes a file of a link whose own field is empty, whatever a long name says";
    if (isGnu && bytes[at + 345] !== 0) return "Go before 1.8 wrote prefixes into headers of GNU, which only Go reads";
  }
  if (entries.some(({ type }) => type === "character-device 0:0")) return "a device 0/0 is a whiteout to us";
  if (linksSayAnew(entries)) return "a hard link's entry says anew what its file is, to Docker, containerd and us";
  const folders = entries.filter(({ type }) => type === "directory").map(({ name }) => normalize(`/${name}/`));
  const paths = entries.map(({ name }) => normalize(`/${name}/`));
  if (folders.some((folder) => paths.filter((path) => path === folder).length > 1))
    return "libarchive 3.6 gives a folder that comes twice the first attributes";
  return undefined;
}

/** Whether a hard link has another owner, mode or time than its file, whichever of that name. */
function linksSayAnew(entries: readonly Listed[]): boolean {
  const clean = (name: string): string => normalize(`/${name}`);
  const said = ({ mode, owner, time }: Listed): string => `${mode & 0o7777} ${owner} ${time}`;
  return entries.some(
    (link) =>
      link.type === "hardlink" &&
      entries.some((file) => clean(file.name) === clean(link.link) && said(file) !== said(link)),
  );
}

function unpack(tool: string, args: readonly string[], cwd: string): void {
  const env = { ...process.env, LC_ALL: "C.UTF-8" };
  const { status, stderr } = spawnSync(tool, args, { cwd, env });
  if (status !== 0) throw new Error(String(stderr));
}

function asTree(ours: Record<string, string>, theirs: Record<string, string> | string): string {
  return typeof theirs === "string" ? `refuses: ${theirs}` : same(ours, theirs);
}

/** "agrees", or where they differ: trees by name, lists by number. */
function same(ours: object, theirs: object): string {
  const keys = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  const at = (of: object, key: string): unknown => (of as Record<string, unknown>)[key];
  const different = keys.filter((key) => !isDeepStrictEqual(at(ours, key), at(theirs, key)));
  if (different.length === 0) return "agrees";
  const shown = different.map((key) => `${key}: ours ${inspect(at(ours, key))}, theirs ${inspect(at(theirs, key))}`);
  return `differs: ${shown.join("; ")}`;
}
