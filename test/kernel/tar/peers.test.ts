/**
 * The tar codec against other people's: what GNU tar and libarchive write we read, what we write they unpack, and Go's
 * encoder and ours give the same bytes. The oracle is a tree on disk.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import {
  createTarHeader,
  createTarReader,
  encodeTarHeader,
  tarEndBlocks,
  tarPaddingBytes,
  type TarEntryType,
  type TarHeader,
} from "../../../src/tar/index.ts";
import { describeWith, needs, type Need } from "../../needs.ts";

const tools: Need[] = [needs.root, needs.attr, needs.bsdtar, commandNeed("tar", "apt-get install tar")];

function commandNeed(name: string, bring: string): Need {
  const { error } = spawnSync(name, ["--help"]);
  return { name, bring, met: error === undefined, reason: error === undefined ? "" : `no ${name} in PATH` };
}

function run(command: string, args: readonly string[], cwd: string, input: Uint8Array = Buffer.alloc(0)): Buffer {
  const env = { ...process.env, LC_ALL: "C.UTF-8", GO111MODULE: "off", GOFLAGS: "" };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, input, env, maxBuffer: 2 ** 28 });
  if (error !== undefined || status !== 0) throw error ?? new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

let scratch: string;
beforeAll(() => {
  scratch = fs.mkdtempSync(join(tmpdir(), "cleat-tar-"));
});
afterAll(() => {
  fs.rmSync(scratch, { recursive: true, force: true });
});

const latin1Path = (...parts: string[]): Buffer => Buffer.from(join(...parts), "latin1");
const longName = `${"folder-with-a-long-name/".repeat(10)}${"f".repeat(120)}`;
const sparseBytes = 40 * 65_536;

/** A tree that v7 can hold; or one with everything that PAX and GNU can. */
function makeTree(kind: "small" | "full"): string {
  const root = join(scratch, `${kind}-tree`);
  if (fs.existsSync(root)) return root;
  fs.mkdirSync(join(root, "dir"), { recursive: true });
  fs.writeFileSync(join(root, "dir/file"), "content".repeat(1000));
  fs.writeFileSync(join(root, "empty"), "");
  fs.chmodSync(join(root, "empty"), 0o4755);
  fs.chownSync(join(root, "empty"), 12, 34);
  fs.linkSync(join(root, "dir/file"), join(root, "second-name"));
  fs.symlinkSync("dir/file", join(root, "symlink"));
  if (kind === "small") return root;
  fs.mkdirSync(join(root, longName, ".."), { recursive: true });
  fs.writeFileSync(join(root, longName), "long");
  fs.symlinkSync(longName, join(root, "long-symlink"));
  fs.writeFileSync(latin1Path(root, "caf\xe9-\xff"), "latin1");
  fs.writeFileSync(join(root, "umlaut-ü"), "utf-8");
  fs.chownSync(join(root, "umlaut-ü"), 4_000_000_000, 3_000_000);
  fs.writeFileSync(join(root, "old"), "old");
  fs.utimesSync(join(root, "old"), -1000, -1000);
  run("mkfifo", ["fifo"], root);
  run("mknod", ["device", "b", "259", "70000"], root);
  const sparse = fs.openSync(join(root, "sparse"), "w");
  for (let at = 1; at < 39; at++) fs.writeSync(sparse, `at ${at}`, at * 65_536 + 5);
  fs.ftruncateSync(sparse, sparseBytes);
  fs.closeSync(sparse);
  fs.writeFileSync(join(root, "xattrs"), "");
  run("setfattr", ["-n", "user.binary", "-v", "0x00ff0a3d", "xattrs"], root);
  run("setfattr", ["-n", "user.empty", "xattrs"], root);
  return root;
}

interface Described {
  readonly type: TarEntryType;
  readonly mode: number;
  readonly owner: string;
  readonly mtime: string;
  readonly device: string;
  readonly linkName: string;
  readonly content: string;
}
type Tree = Record<string, Described>;

/** What is on disk; names as latin1, times cut to what an archive without PAX can say if `wholeSeconds`. */
function describeTree(root: string, wholeSeconds: boolean): Tree {
  const tree: Tree = {};
  for (const name of listTree(root)) {
    const path = Buffer.concat([Buffer.from(`${root}/`), name]);
    const stat = fs.lstatSync(path, { bigint: true });
    const type = typeOf(stat);
    const device = Number(stat.rdev);
    const nanoseconds = wholeSeconds ? 0n : ((stat.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
    tree[name.toString("latin1")] = {
      type,
      mode: Number(stat.mode) & 0o7777,
      owner: `${stat.uid}:${stat.gid}`,
      mtime: `${(stat.mtimeNs - nanoseconds) / 1_000_000_000n}.${nanoseconds}`,
      device: type.endsWith("device")
        ? `${(device >> 8) & 0xfff}:${(device & 0xff) | ((device >> 12) & 0xfff00)}`
        : "0:0",
      linkName: type === "symlink" ? fs.readlinkSync(path, "latin1") : "",
      content: type === "file" ? fs.readFileSync(path, "latin1") : "",
    };
  }
  return tree;
}

/** All names below `root`, folders before what is in them. Node's own recursion does not know names as bytes. */
function listTree(root: string, folder = Buffer.alloc(0)): Buffer[] {
  const path = Buffer.concat([Buffer.from(`${root}/`), folder]);
  return fs.readdirSync(path, { encoding: "buffer", withFileTypes: true }).flatMap((entry) => {
    const name = Buffer.concat([folder, entry.name as unknown as Buffer]);
    return entry.isDirectory() ? [name, ...listTree(root, Buffer.concat([name, Buffer.from("/")]))] : [name];
  });
}

function typeOf(stat: fs.BigIntStats): TarEntryType {
  if (stat.isDirectory()) return "directory";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isFIFO()) return "fifo";
  if (stat.isBlockDevice()) return "block-device";
  return "file";
}

/** What an archive holds, in the same words. A hard link is what it links to. */
function describeArchive(archive: Uint8Array): { tree: Tree; headers: Map<string, TarHeader> } {
  const tree: Tree = {};
  const headers = new Map<string, TarHeader>();
  const chunks = [archive];
  const reader = createTarReader({ read: () => chunks.shift() });
  for (let header = reader.next(); header !== undefined; header = reader.next()) {
    const name = cleanName(header.name);
    if (name === "") continue;
    const content = Buffer.alloc(header.sizeBytes);
    for (let chunk = reader.read(); chunk !== undefined; chunk = reader.read()) content.set(chunk, reader.chunkOffset);
    headers.set(name, header);
    tree[name] =
      header.type === "hardlink"
        ? (tree[cleanName(header.linkName)] as Described)
        : {
            type: header.type,
            mode: header.mode & 0o7777,
            owner: `${header.uid}:${header.gid}`,
            mtime: `${header.mtimeSeconds}.${header.mtimeNanoseconds}`,
            device: `${header.deviceMajor}:${header.deviceMinor}`,
            linkName: header.linkName.toString("latin1"),
            content: content.toString("latin1"),
          };
  }
  return { tree, headers };
}

function cleanName(name: Buffer): string {
  return name
    .toString("latin1")
    .replace(/^\.\/?/, "")
    .replace(/\/$/, "");
}

const xattrs = new Map([
  ["user.binary", Buffer.of(0, 0xff, 0x0a, 0x3d)],
  ["user.empty", Buffer.alloc(0)],
]);

describeWith(tools, "archives of other tools", () => {
  it.each([
    ["tar", "v7", "small", []],
    ["tar", "ustar", "small", []],
    ["tar", "oldgnu", "full", []],
    ["tar", "gnu", "full", []],
    ["tar", "oldgnu", "full", ["--sparse"]],
    ["tar", "gnu", "full", ["--sparse", "--label=volume"]],
    ["tar", "pax", "full", ["--xattrs"]],
    ["tar", "pax", "full", ["--sparse", "--sparse-version=0.0"]],
    ["tar", "pax", "full", ["--sparse", "--sparse-version=0.1"]],
    ["tar", "pax", "full", ["--sparse", "--sparse-version=1.0", "--xattrs"]],
    ["tar", "pax", "full", ["--pax-option=globexthdr.name=g,comment=global"]],
    ["bsdtar", "v7", "small", []],
    ["bsdtar", "ustar", "small", []],
    ["bsdtar", "gnutar", "full", []],
    ["bsdtar", "pax", "full", ["--no-read-sparse"]],
    ["bsdtar", "pax", "full", ["--read-sparse", "--xattrs"]],
  ] as const)("are read: %s --format=%s of the %s tree %j", (tool, format, kind, options) => {
    const root = makeTree(kind);
    const archive = run(tool, ["-c", "-f", "-", `--format=${format}`, ...options, "."], root);
    const { tree, headers } = describeArchive(archive);
    expect(tree).toEqual(describeTree(root, format !== "pax"));
    if (options.some((option) => option === "--xattrs")) expect(headers.get("xattrs")?.xattrs).toEqual(xattrs);
    const isSparse = options.some((option) => option === "--sparse" || option === "--read-sparse");
    if (isSparse) expect(headers.get("sparse")?.sparse).toHaveLength(38);
  });
});

function encodeTree(tree: Tree): Buffer {
  const parts: Uint8Array[] = [];
  for (const [name, described] of Object.entries(tree)) {
    const [uid, gid] = described.owner.split(":").map(Number) as [number, number];
    const [mtimeSeconds, mtimeNanoseconds] = described.mtime.split(".").map(Number) as [number, number];
    const [deviceMajor, deviceMinor] = described.device.split(":").map(Number) as [number, number];
    const content = Buffer.from(described.content, "latin1");
    const { type, mode } = described;
    const header = { type, mode, uid, gid, mtimeSeconds, mtimeNanoseconds, deviceMajor, deviceMinor };
    const texts = { name: Buffer.from(name, "latin1"), linkName: Buffer.from(described.linkName, "latin1") };
    const more = { sizeBytes: content.length, ...(name === "xattrs" ? { xattrs } : {}) };
    parts.push(encodeTarHeader(createTarHeader({ ...header, ...texts, ...more })));
    parts.push(content, tarEndBlocks.subarray(0, tarPaddingBytes(content.length)));
  }
  return Buffer.concat([...parts, tarEndBlocks]);
}

describeWith(tools, "our archives", () => {
  it.each([
    ["tar", ["--extract", "--xattrs", "--xattrs-include=*", "--numeric-owner", "--preserve-permissions"]],
    ["bsdtar", ["-x", "-p", "--numeric-owner", "--xattrs"]],
  ] as const)("are unpacked by %s", (tool, options) => {
    const tree = describeTree(makeTree("full"), false);
    // libarchive wants a record hdrcharset=BINARY before it unpacks names that are not UTF-8; Go, and so we, write
    // none.
    if (tool === "bsdtar") delete tree["caf\xe9-\xff"];
    const copy = join(scratch, `unpacked-by-${tool}`);
    fs.mkdirSync(copy);
    run(tool, [...options, "-f", "-"], copy, encodeTree(tree));
    expect(describeTree(copy, false)).toEqual(tree);
    expect(run("getfattr", ["-d", "-e", "hex", "xattrs"], copy).toString()).toContain(
      "user.binary=0x00ff0a3d\nuser.empty",
    );
  });
});

const goProgram = `package main

import ("archive/tar"; "bytes"; "encoding/base64"; "encoding/json"; "fmt"; "os"; "time")

type header struct {
	Flag, Name, Link, User, Group []byte
	Mode, Uid, Gid, Size, Seconds, Nanoseconds, Major, Minor int64
	Xattrs map[string][]byte
}

func main() {
	var headers []header
	if err := json.NewDecoder(os.Stdin).Decode(&headers); err != nil { panic(err) }
	for _, h := range headers {
		xattrs := map[string]string{}
		for key, value := range h.Xattrs { xattrs[key] = string(value) }
		var out bytes.Buffer
		err := tar.NewWriter(&out).WriteHeader(&tar.Header{
			Typeflag: h.Flag[0], Name: string(h.Name), Linkname: string(h.Link), Uname: string(h.User), Gname: string(h.Group),
			Mode: h.Mode, Uid: int(h.Uid), Gid: int(h.Gid), Size: h.Size, ModTime: time.Unix(h.Seconds, h.Nanoseconds),
			Devmajor: h.Major, Devminor: h.Minor, Xattrs: xattrs, Format: tar.FormatPAX,
		})
		if err != nil { panic(err) }
		fmt.Println(base64.StdEncoding.EncodeToString(out.Bytes()))
	}
}
`;

const flags: Record<TarEntryType, string> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  "character-device": "3",
  "block-device": "4",
  directory: "5",
  fifo: "6",
};

function base64(bytes: Buffer): string {
  return bytes.toString("base64");
}

function encodeWithGo(headers: readonly TarHeader[]): Buffer[] {
  const source = join(scratch, "encode.go");
  fs.writeFileSync(source, goProgram);
  const input = headers.map((header) => ({
    Flag: base64(Buffer.from(flags[header.type])),
    Name: base64(header.name),
    Link: base64(header.linkName),
    User: base64(header.userName),
    Group: base64(header.groupName),
    Mode: header.mode,
    Uid: header.uid,
    Gid: header.gid,
    Size: header.sizeBytes,
    Seconds: header.mtimeSeconds,
    Nanoseconds: header.mtimeNanoseconds,
    Major: header.deviceMajor,
    Minor: header.deviceMinor,
    Xattrs: Object.fromEntries([...header.xattrs].map(([key, value]) => [key, base64(value)])),
  }));
  const lines = run("go", ["run", source], scratch, Buffer.from(JSON.stringify(input)))
    .toString()
    .trim()
    .split("\n");
  return lines.map((line) => Buffer.from(line, "base64"));
}

const name = (text: string): { name: Buffer } => ({ name: Buffer.from(text, "latin1") });
const n = (count: number): string => "n".repeat(count);
const trickyHeaders: readonly Parameters<typeof createTarHeader>[0][] = [
  name(""),
  name("plain"),
  { ...name("docker"), mode: 0o100644, uid: 1000, gid: 100, sizeBytes: 5, mtimeSeconds: 1_700_000_000 },
  ...[99, 100, 101, 155, 156, 157, 256, 300].map((count) => name(n(count))),
  ...[1, 54, 55, 99, 100, 154, 155, 156].map((count) => name(`${n(count)}/${n(100)}`)),
  ...[99, 100, 101].map((count) => name(`p/${n(155)}/${n(count)}`)),
  ...[
    `${n(99)}/`,
    `${n(100)}/`,
    `${n(98)}//${n(80)}/`,
    `${n(99)}/${n(101)}/`,
    `/${n(150)}/`,
    `${"a/".repeat(200)}`,
  ].map((text) => ({ ...name(text), type: "directory" as const })),
  ...["caf\xc3\xa9", "caf\xe9", "\xe9", "a/../caf\xe9", "caf\xe9/..", "/\xe9", "..", "\xe2\x82", "a\xff\xfeb/c"].map(
    name,
  ),
  { ...name("./x/\xe9/"), type: "directory" },
  { ...name(`${"\xe9".repeat(10)}${n(97)}//x`) },
  { ...name("link"), type: "symlink", linkName: Buffer.from(n(100)) },
  { ...name("link"), type: "symlink", linkName: Buffer.from(n(101)) },
  { ...name("link"), type: "hardlink", linkName: Buffer.from("caf\xe9", "latin1") },
  { ...name(`${n(60)}/${n(60)}`), type: "hardlink", linkName: Buffer.from(`${n(60)}/${n(60)}`) },
  { ...name(`${n(60)}/${n(60)}`), mtimeNanoseconds: 120_000_000 },
  { ...name("users"), userName: Buffer.from(n(32)), groupName: Buffer.from(n(33)) },
  { ...name("users"), userName: Buffer.from("m\xc3\xbcller", "latin1"), groupName: Buffer.from("\xff", "latin1") },
  { ...name("ids"), uid: 0o7777777, gid: 0o10000000 },
  { ...name("ids"), uid: 4_294_967_294, gid: 4_294_967_294 },
  { ...name("size"), sizeBytes: 8 ** 11 - 1 },
  { ...name("size"), sizeBytes: 8 ** 11 },
  { ...name("size"), sizeBytes: Number.MAX_SAFE_INTEGER },
  ...[8 ** 11 - 1, 8 ** 11, -1, -1_000_000_000].map((mtimeSeconds) => ({ ...name("time"), mtimeSeconds })),
  ...[-1, -2, 0, 1].map((mtimeSeconds) => ({ ...name("time"), mtimeSeconds, mtimeNanoseconds: 1 })),
  { ...name("mode"), mode: 0o7777777 },
  { ...name("device"), type: "block-device", deviceMajor: 4095, deviceMinor: 1_048_575 },
  { ...name("device"), type: "character-device", mode: 0o20666, deviceMajor: 1, deviceMinor: 3 },
  { ...name("fifo"), type: "fifo" },
  {
    ...name("xattrs"),
    xattrs: new Map([
      ["user.z", Buffer.of(0, 255, 10)],
      ["security.capability", Buffer.alloc(20, 1)],
    ]),
  },
  { ...name("xattrs"), xattrs },
  ...[80, 81, 82, 83, 975, 976, 977, 978].map((bytes) => ({
    ...name("lengths"),
    xattrs: new Map([["a", Buffer.alloc(bytes, "v")]]),
  })),
];

/** Bytes as a text whose differences can be read. */
function show(bytes: Buffer): string {
  return bytes.toString("latin1").replace(/\0{2,}/g, (nuls) => `<${nuls.length}>`);
}

describeWith([commandNeed("go", "apt-get install golang-go")], "headers encoded by Go's archive/tar", () => {
  it("are ours, byte for byte", () => {
    const headers = trickyHeaders.map((given) => createTarHeader(given));
    expect(headers.map((header) => show(encodeTarHeader(header)))).toEqual(encodeWithGo(headers).map(show));
  });
});
