/** What targets that read journals share. */
import { crc32 } from "node:zlib";

/** The files of a journal, in memory: names with their contents. */
export function memoryFiles(contents) {
  const names = new Map(contents.map(([name, content]) => [name, { content: Buffer.from(content) }]));
  return {
    content: (name) => names.get(name)?.content ?? Buffer.alloc(0),
    names: () => [...names.keys()],
    read: async (name) => names.get(name)?.content,
    async open(name, lengthBytes) {
      const file = names.get(name) ?? { content: Buffer.alloc(0) };
      names.set(name, file);
      const append = async (bytes) => void (file.content = Buffer.concat([file.content, bytes]));
      const truncate = async (length) => void (file.content = file.content.subarray(0, length));
      await truncate(lengthBytes);
      const nothing = async () => {};
      return { append, appendDurably: append, truncate, allocate: nothing, sync: nothing, close: nothing };
    },
    async rename(from, to) {
      names.set(to, names.get(from));
      names.delete(from);
    },
    remove: async (name) => void names.delete(name),
    syncFolder: async () => {},
    close: async () => {},
  };
}

/** Checksums are set right, or nothing would be read but them. */
export function fixChecksums(input) {
  const lines = (typeof input === "string" ? input : input.toString("latin1")).split("\n");
  return Buffer.from(
    lines.map((text, at) => (at === lines.length - 1 || text.length < 9 ? text : fixed(text.slice(9)))).join("\n"),
    "latin1",
  );
}

const fixed = (text) => `${crc32(Buffer.from(text, "latin1")).toString(16).padStart(8, "0")} ${text}`;
