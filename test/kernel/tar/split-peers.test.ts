/**
 * tar-split data of other people's archives: they come back byte for byte, also out of a layer that they were unpacked
 * into, Go's own tar-split (`split.go` beside this) reads what we write and we read what it writes, and both write
 * the same lines.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";

import { toCleatError } from "../../../src/errors/index.ts";
import { applyLayerExactly, assembleLayerAt } from "../../../src/layer/index.ts";
import {
  createGzipSink,
  createSplittingTarReader,
  createTarAssembler,
  createTarSplitPacker,
  type FileGetter,
} from "../../../src/tar/index.ts";
import { describeWith, type Need, needs } from "../../needs.ts";
import { makeScratch } from "../layer/overlay-mount.support.ts";

const goPath = "/usr/share/gocode";
const goTarSplit: Need = {
  name: "Go's tar-split",
  bring: "npm run engines",
  met: spawnSync("go", ["version"]).status === 0 && fs.existsSync(`${goPath}/src/github.com/vbatts/tar-split/tar/asm`),
  reason: "no go in PATH, or no sources of tar-split below /usr/share/gocode",
};

function run(command: string, args: readonly string[], cwd: string, input: Uint8Array = Buffer.alloc(0)): Buffer {
  const env = { ...process.env, LC_ALL: "C.UTF-8", GO111MODULE: "off", GOPATH: goPath, GOFLAGS: "" };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, input, env, maxBuffer: 2 ** 28 });
  if (error !== undefined || status !== 0) throw error ?? new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

const longName = `${"folder-with-a-long-name/".repeat(10)}${"f".repeat(120)}`;

/** What any format can hold; or everything that PAX and GNU can. */
function makeTree(root: string, kind: "small" | "full"): void {
  fs.mkdirSync(`${root}/dir`, { recursive: true });
  fs.writeFileSync(`${root}/dir/file`, "content".repeat(10_000));
  fs.writeFileSync(`${root}/block`, Buffer.alloc(512, "b"));
  fs.writeFileSync(`${root}/empty`, "");
  fs.linkSync(`${root}/dir/file`, `${root}/second-name`);
  fs.symlinkSync("dir/file", `${root}/symlink`);
  if (kind === "small") return;
  fs.mkdirSync(join(root, longName, ".."), { recursive: true });
  fs.writeFileSync(join(root, longName), "long");
  fs.symlinkSync(longName, `${root}/long-symlink`);
  fs.writeFileSync(Buffer.from(`${root}/caf\xe9-\xff`, "latin1"), "latin1");
  fs.writeFileSync(`${root}/ü <&> "\\\n\u2028`, "utf-8");
  fs.chownSync(`${root}/block`, 4_000_000_000, 3_000_000);
  run("mkfifo", ["fifo"], root);
  const sparse = fs.openSync(`${root}/sparse`, "w");
  for (let at = 1; at < 39; at++) fs.writeSync(sparse, `at ${at}`, at * 65_536 + 5);
  fs.ftruncateSync(sparse, 40 * 65_536);
  fs.closeSync(sparse);
}

function filesOf(root: string): FileGetter {
  return {
    open(name) {
      try {
        const descriptor = fs.openSync(Buffer.concat([Buffer.from(`${root}/`), name]), "r");
        const buffer = Buffer.alloc(65_536);
        return {
          read() {
            const count = fs.readSync(descriptor, buffer);
            return count === 0 ? undefined : buffer.subarray(0, count);
          },
          close: () => fs.closeSync(descriptor),
        };
      } catch (error) {
        throw toCleatError(error);
      }
    },
  };
}

function collect(): { write(bytes: Uint8Array): void; bytes(): Buffer } {
  const parts: Buffer[] = [];
  return { write: (bytes) => void parts.push(Buffer.from(bytes)), bytes: () => Buffer.concat(parts) };
}

function takeApart(archive: Buffer): Buffer {
  const sink = collect();
  const gzip = createGzipSink(sink);
  const chunks = [archive];
  const reader = createSplittingTarReader({ read: () => chunks.shift() }, createTarSplitPacker(gzip));
  while (reader.next() !== undefined);
  gzip.finish();
  return sink.bytes();
}

function putTogether(data: Buffer, root: string): Buffer {
  const sink = collect();
  const assembler = createTarAssembler(filesOf(root), sink);
  assembler.write(gunzipSync(data));
  assembler.finish();
  return sink.bytes();
}

/** What comes back of an archive that was unpacked and is nowhere else any more. */
async function throughLayer(archive: Buffer, folder: string): Promise<Buffer> {
  const place = { tree: `${folder}/tree`, data: `${folder}/data` };
  fs.mkdirSync(place.tree, { recursive: true });
  const data = fs.openSync(place.data, "wx+");
  const tree = fs.openSync(place.tree, "r");
  const umask = process.umask(0);
  try {
    const chunks = [archive];
    const options = { whiteouts: { kind: "delete" }, ids: { uids: [], gids: [] }, syncFiles: false } as const;
    await applyLayerExactly({ read: () => chunks.shift() }, tree, data, options);
    const sink = collect();
    await assembleLayerAt(place, sink);
    return sink.bytes();
  } finally {
    process.umask(umask);
    fs.closeSync(tree);
    fs.closeSync(data);
    fs.rmSync(folder, { recursive: true });
  }
}

interface Line {
  readonly type: 1 | 2;
  readonly name?: string;
  readonly name_raw?: string;
  readonly size?: number;
  readonly payload: string | null;
}

/** What a global header and a volume label are called, of which Go makes entries and we do not. */
const noEntry = "no-entry";

/** Lines with neighbouring segments joined: where Go cuts what follows the end blocks depends on how it was read. */
function joinedLines(data: Buffer): string[] {
  const joined: string[] = [];
  let raw = Buffer.alloc(0);
  const endSegment = (): void => {
    if (raw.length > 0)
      joined.push(`segment of ${raw.length} bytes, ${createHash("sha256").update(raw).digest("hex")}`);
    raw = Buffer.alloc(0);
  };
  for (const line of gunzipSync(data).toString().trimEnd().split("\n")) {
    const { type, payload, ...file } = JSON.parse(line) as Line;
    if (type === 2) raw = Buffer.concat([raw, Buffer.from(payload ?? "", "base64")]);
    else if (file.name !== noEntry) {
      endSegment();
      joined.push(line.replace(/"position":\d+/, ""));
    }
  }
  endSegment();
  return joined;
}

const sparse = ["--sparse", "--read-sparse"];

describeWith([needs.root, needs.bsdtar, goTarSplit], "an archive of other people's", () => {
  let scratch: ReturnType<typeof makeScratch>;
  let program: string;
  beforeAll(() => {
    scratch = makeScratch("tar-split");
    program = `${scratch.path}/tar-split`;
    run("go", ["build", "-o", program, fileURLToPath(new URL("split.go", import.meta.url))], scratch.path);
    for (const kind of ["small", "full"] as const) makeTree(`${scratch.path}/${kind}`, kind);
  });
  afterAll(() => scratch.remove());

  it.each([
    ["tar", "v7", "small", []],
    ["tar", "ustar", "small", ["--blocking-factor=1"]],
    ["tar", "oldgnu", "full", ["--blocking-factor=100"]],
    ["tar", "gnu", "full", []],
    ["tar", "oldgnu", "full", ["--sparse"]],
    ["tar", "gnu", "full", ["--sparse"]],
    ["tar", "pax", "full", []],
    ["tar", "pax", "full", ["--sparse", "--sparse-version=0.0"]],
    ["tar", "pax", "full", ["--sparse", "--sparse-version=0.1"]],
    ["tar", "pax", "full", ["--sparse", "--sparse-version=1.0"]],
    ["tar", "pax", "full", ["--pax-option=globexthdr.name=no-entry,comment=global"]],
    ["tar", "pax", "full", ["--xattrs", "--xattrs-include=*", "--acls", "--pax-option=delete=atime,delete=ctime"]],
    ["tar", "gnu", "full", ["--label=no-entry", "--hard-dereference", "--numeric-owner"]],
    ["tar", "gnu", "full", ["--sort=inode", "--record-size=512"]],
    ["bsdtar", "v7", "small", []],
    ["bsdtar", "ustar", "small", ["-b", "1"]],
    ["bsdtar", "gnutar", "full", []],
    ["bsdtar", "rpax", "full", ["--no-read-sparse"]],
    ["bsdtar", "pax", "full", ["--no-read-sparse"]],
    ["bsdtar", "pax", "full", ["--read-sparse"]],
  ] as const)("comes back byte for byte: %s --format=%s of the %s tree %j", async (tool, format, kind, options) => {
    const root = `${scratch.path}/${kind}`;
    const archive = run(tool, ["-c", "-f", "-", `--format=${format}`, ...options, "."], root);
    const ours = takeApart(archive);
    expect(putTogether(ours, root).equals(archive), "ours, put together by us").toBe(true);
    expect(run(program, ["together", root], root, ours).equals(archive), "ours, put together by Go").toBe(true);
    expect((await throughLayer(archive, `${scratch.path}/layer`)).equals(archive), "out of a layer").toBe(true);
    // Go puts another archive together where files are sparse.
    if (options.some((option) => sparse.includes(option))) return;
    const theirs = run(program, ["apart"], root, archive);
    expect(putTogether(theirs, root).equals(archive), "Go's, put together by us").toBe(true);
    expect(joinedLines(ours)).toEqual(joinedLines(theirs));
  });

  it("that names a file twice is refused by both", () => {
    const root = `${scratch.path}/small`;
    const archive = run("tar", ["-c", "-f", "-", "empty", "./dir/../empty"], root);
    expect(() => takeApart(archive)).toThrow("duplicates of file paths not supported");
    expect(() => run(program, ["apart"], root, archive)).toThrow("duplicates of file paths not supported");
  });

  it("comes back with garbage or another archive behind it, or cut behind an entry, out of Go's data too", async () => {
    const root = `${scratch.path}/full`;
    const whole = run("tar", ["-c", "-f", "-", "--format=gnu", "."], root);
    const one = run("tar", ["-c", "-f", "-", "--format=ustar", "empty"], root);
    const garbage = Buffer.alloc(3_000_001, "garbage");
    const cut = [one.subarray(0, 512), one.subarray(0, 1024)];
    for (const archive of [Buffer.concat([whole, garbage]), Buffer.concat([one, whole]), ...cut]) {
      const ours = takeApart(archive);
      expect(putTogether(ours, root).equals(archive)).toBe(true);
      expect(run(program, ["together", root], root, ours).equals(archive)).toBe(true);
      expect(putTogether(run(program, ["apart"], root, archive), root).equals(archive)).toBe(true);
      expect((await throughLayer(archive, `${scratch.path}/layer`)).equals(archive)).toBe(true);
    }
  });
});
