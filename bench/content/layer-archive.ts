import { incompressibleBytes } from "./incompressible.ts";

const blockBytes = 512;
const chunkBytes = 1024 * 1024;

/** A tar archive of files of 64 MiB each, `sizeGib` in all, made as it is read: it never is in memory or on disk. */
export function layerArchive(sizeGib: number): Generator<Buffer> {
  return archiveOf(sizeGib * 16, 64);
}

/** As `layerArchive`, of one file. */
export function singleFileArchive(sizeMib: number): Generator<Buffer> {
  return archiveOf(1, sizeMib);
}

function* archiveOf(files: number, fileMib: number): Generator<Buffer> {
  const chunk = incompressibleBytes(chunkBytes);
  for (let file = 0; file < files; file++) {
    yield fileHeader(`file-${file}`, fileMib * chunkBytes);
    for (let written = 0; written < fileMib; written++) yield chunk;
  }
  yield Buffer.alloc(2 * blockBytes);
}

/** ustar, POSIX.1-1988: numbers are octal text, the checksum counts its own field as spaces. */
function fileHeader(name: string, fileBytes: number): Buffer {
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0, "latin1");
  header.write("0100644\0", 100, "latin1");
  header.write("0000000\0", 108, "latin1");
  header.write("0000000\0", 116, "latin1");
  header.write(`${fileBytes.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  header.write("07236705742\0", 136, "latin1");
  header.write("        0", 148, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}
