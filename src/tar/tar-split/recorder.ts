import type { Entry } from "../reading/entry.ts";
import { createCrc64 } from "./crc64.ts";
import type { TarSplitPacker } from "./packer.ts";
import { createSegmentBuffer } from "./segment-buffer.ts";

/** Turns the bytes that a reader consumes, and the entries that it finds in them, into tar-split data. */
export interface TarSplitRecorder {
  /** Is told of all bytes, in order. */
  consumed(bytes: Uint8Array): void;
  /** Is told of each entry between its headers and its content. */
  began(entry: Entry): void;
  finish(): void;
}

/** Source for where an entry's segments begin and end: vbatts/tar-split v0.11.2 `tar/asm/disassemble.go`. */
export function createTarSplitRecorder(
  packer: TarSplitPacker,
  keepsContent: (header: Entry["header"]) => boolean,
): TarSplitRecorder {
  const segment = createSegmentBuffer((bytes) => packer.add({ kind: "segment", bytes }));
  const crc = createCrc64();
  let name: Buffer;
  let sizeBytes = 0;
  let contentLeft = 0;

  function endContent(): void {
    packer.add({ kind: "file", name, sizeBytes, crc: crc.digest() });
    crc.reset();
  }

  return {
    consumed(bytes) {
      let rest = bytes;
      if (contentLeft > 0) {
        const content = bytes.length <= contentLeft ? bytes : bytes.subarray(0, contentLeft);
        crc.update(content);
        contentLeft -= content.length;
        if (contentLeft === 0) endContent();
        rest = bytes.subarray(content.length);
      }
      if (rest.length > 0) segment.write(rest);
    },
    began({ header, storedBytes }) {
      segment.flush();
      // A sparse file is stored otherwise than it reads. Go takes what it reads, and puts another archive together.
      const isKept = storedBytes > 0 && header.sparse === undefined && keepsContent(header);
      if (isKept) {
        name = header.name;
        sizeBytes = storedBytes;
        contentLeft = storedBytes;
      } else {
        packer.add({ kind: "file", name: header.name, sizeBytes: 0, crc: undefined });
      }
    },
    finish() {
      segment.flush();
      packer.finish();
    },
  };
}
