/** A package for Debian. Source: deb(5), deb-control(5), deb-version(7) of dpkg 1.21; ar(5). */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { CleatError } from "../../../errors/index.ts";
import { createTarHeader, encodeTarHeader, tarEndBlocks, tarPaddingBytes } from "../../../tar/index.ts";
import { formatUnits, pluginUnit } from "../../serving/units/format-units.ts";
import { foldersOf, inOrder, type PackedFile } from "./packed-file.ts";
import type { Project } from "./read-project.ts";

/** Debian's own Node, of 13 (trixie) and later. */
const node = "/usr/bin/node";

export interface DebOptions {
  /** "amd64", or "all" for one without native code. */
  readonly architecture: string;
  readonly mtimeSeconds: number;
}

/** The same project gives the same bytes. @throws INVALID_ARGUMENT when a name is none of Debian's, or too long. */
export function buildDeb(project: Project, options: DebOptions): Buffer {
  const home = `usr/lib/${project.name}`;
  const units = formatUnits(pluginUnit(project.name, project.description), [
    node,
    `/${home}/${project.main}`,
    `/var/lib/${project.name}`,
  ]);
  const files = inOrder([
    ...project.files.map((file) => ({ ...file, path: `${home}/${file.path}` })),
    ...Object.entries(units).map(([name, text]): PackedFile => {
      return { path: `lib/systemd/system/${name}`, content: Buffer.from(text), isExecutable: false };
    }),
  ]);
  const sums = files.map(({ path, content }) => `${createHash("md5").update(content).digest("hex")}  ${path}\n`);
  const control = [
    { path: "control", content: Buffer.from(formatControl(project, files, options)), isExecutable: false },
    { path: "md5sums", content: Buffer.from(sums.join("")), isExecutable: false },
  ];
  return buildAr(
    [
      ["debian-binary", Buffer.from("2.0\n")],
      ["control.tar.gz", gzipSync(buildTar(control, options), { level: 9 })],
      ["data.tar.gz", gzipSync(buildTar(files, options), { level: 9 })],
    ],
    options,
  );
}

/** "mine_0.1.0_amd64.deb" */
export function debName({ name, version }: Project, { architecture }: DebOptions): string {
  return `${name}_${debVersion(version)}_${architecture}.deb`;
}

function formatControl(project: Project, files: readonly PackedFile[], { architecture }: DebOptions): string {
  const { name, version, description, maintainer } = project;
  if (!/^[a-z0-9][a-z0-9+.-]+$/.test(name)) {
    throw new CleatError("INVALID_ARGUMENT", `"${name}" is no name of a Debian package: small letters, digits, + - .`);
  }
  const line = (text: string) => text.replaceAll(/\s+/g, " ").trim();
  const installedKiB = Math.ceil(files.reduce((sum, { content }) => sum + content.length, 0) / 1024);
  return [
    `Package: ${name}`,
    `Version: ${debVersion(version)}`,
    `Architecture: ${architecture}`,
    `Maintainer: ${line(maintainer) || "nobody <nobody@localhost>"}`,
    `Installed-Size: ${installedKiB}`,
    "Depends: nodejs (>= 20.19)",
    "Section: admin",
    "Priority: optional",
    `Description: ${line(description)}`,
    "",
  ].join("\n");
}

/** What comes before a release sorts before it there, too. */
function debVersion(version: string): string {
  return version.replace("-", "~");
}

function buildTar(files: readonly PackedFile[], { mtimeSeconds }: DebOptions): Buffer {
  const entry = (name: string, content: Buffer, mode: number, type: "file" | "directory"): Buffer => {
    const header = encodeTarHeader(
      createTarHeader({ name: Buffer.from(name), type, mode, mtimeSeconds, sizeBytes: content.length }),
    );
    // dpkg reads ustar, and no records of PAX before an entry.
    if (header.length > 512) throw new CleatError("INVALID_ARGUMENT", `"${name}" is too long for a Debian package`);
    return Buffer.concat([header, content, Buffer.alloc(tarPaddingBytes(content.length))]);
  };
  return Buffer.concat([
    ...["", ...foldersOf(files).map((path) => `${path}/`)].map((path) =>
      entry(`./${path}`, Buffer.alloc(0), 0o755, "directory"),
    ),
    ...files.map(({ path, content, isExecutable }) =>
      entry(`./${path}`, content, isExecutable ? 0o755 : 0o644, "file"),
    ),
    tarEndBlocks,
  ]);
}

function buildAr(members: readonly (readonly [name: string, content: Buffer])[], { mtimeSeconds }: DebOptions): Buffer {
  const parts = members.flatMap(([name, content]) => [
    Buffer.from(
      `${name.padEnd(16)}${String(mtimeSeconds).padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}` +
        `${String(content.length).padEnd(10)}\`\n`,
    ),
    content,
    Buffer.alloc(content.length % 2, "\n"),
  ]);
  return Buffer.concat([Buffer.from("!<arch>\n"), ...parts]);
}
