/** Header blocks that no honest encoder would write. */
import { blockBytes, tarPaddingBytes } from "../../tar/index.ts";

export interface RawHeader {
  readonly name: string;
  /** One character: "0" file, "1" hard link, "2" symlink, "5" folder, "x" PAX header. */
  readonly typeFlag: string;
  readonly linkName?: string;
  readonly mode?: number;
  /** Default the process's own; bytes stand as they are. */
  readonly uid?: Uint8Array;
  /** A number is written in octal; bytes stand as they are. */
  readonly size?: number | Uint8Array;
  readonly deviceMajor?: number;
  readonly deviceMinor?: number;
  /** Default right. */
  readonly checksum?: number;
}

/** One ustar header block. Source of the layout: POSIX.1-2017 pax, "ustar Interchange Format". */
export function rawHeader(header: RawHeader): Buffer {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, width: number): void => {
    block.write(value.toString(8).padStart(width - 1, "0"), at, "latin1");
  };
  block.write(header.name, 0, 100, "latin1");
  octal(header.mode ?? 0o644, 100, 8);
  if (header.uid === undefined) octal(process.geteuid?.() ?? 0, 108, 8);
  else block.set(header.uid, 108);
  octal(process.getegid?.() ?? 0, 116, 8);
  if (typeof header.size === "object") block.set(header.size, 124);
  else octal(header.size ?? 0, 124, 12);
  octal(0, 136, 12);
  block.write(header.typeFlag, 156, 1, "latin1");
  block.write(header.linkName ?? "", 157, 100, "latin1");
  block.write("ustar\u000000", 257, 8, "latin1");
  octal(header.deviceMajor ?? 0, 329, 8);
  octal(header.deviceMinor ?? 0, 337, 8);
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${(header.checksum ?? sum).toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
  return block;
}

/** A PAX header with its records, before the entry that it describes. */
export function paxHeader(records: Readonly<Record<string, string>>): Buffer {
  const text = Buffer.from(Object.entries(records).map(formatRecord).join(""), "latin1");
  const header = rawHeader({ name: "PaxHeaders.0/entry", typeFlag: "x", size: text.length });
  return Buffer.concat([header, padToBlock(text)]);
}

/** Content as an archive stores it. */
export function padToBlock(content: Uint8Array): Buffer {
  return Buffer.concat([content, Buffer.alloc(tarPaddingBytes(content.length))]);
}

/** "LENGTH key=value\n", the length counting itself. */
function formatRecord([key, value]: [string, string]): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length;
  return `${length}${rest}`;
}
