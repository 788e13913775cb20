import { quoteText } from "../../errors/index.ts";
import { type BodyFraming, toNotHttpError } from "./message-head.ts";

/** Heads, trailers and the lines between chunks are not longer. */
const maxLinesBytes = 64 * 1024;

export interface MessageEvents {
  /** The first line of a head; throws when no message begins so. */
  begin(line: string): void;
  /** The lines of a head, in Latin-1. Says how the body ends. */
  head(lines: readonly string[]): BodyFraming;
  body(bytes: Buffer): void;
  /** The message is whole. */
  end(): void;
}

export interface MessageReader {
  /** @throws INVALID_ARGUMENT when the bytes are not HTTP/1.1; what follows cannot be understood. */
  push(bytes: Buffer): void;
  /** The sender has closed: ends a body that ends with its connection. */
  close(): void;
}

type State = "head" | "sized" | "chunk-size" | "chunk" | "chunk-end" | "trailers" | "until-close" | "opaque";

/**
 * Reads the messages of one direction of a connection as they pass, without holding them back: what it gets wrong is
 * recorded wrong, and forwarded right. As lenient as Go and Node together: lines may end without a carriage return.
 */
export function createMessageReader(on: MessageEvents): MessageReader {
  let state: State = "head";
  let lines: string[] = [];
  let linesBytes = 0;
  let line: Buffer[] = [];
  let leftBytes = 0;

  function enter(next: State, bytes = 0): void {
    state = next;
    lines = [];
    linesBytes = 0;
    leftBytes = bytes;
  }

  function endMessage(): void {
    enter("head");
    on.end();
  }

  function enterBody(framing: BodyFraming): void {
    if (framing === "again") enter("head");
    else if (framing === "chunked") enter("chunk-size");
    else if (framing === "opaque") {
      on.end();
      enter("opaque");
    } else if (framing === "until-close") enter("until-close");
    else if (framing.sizedBytes === 0) endMessage();
    else enter("sized", framing.sizedBytes);
  }

  function takeLine(text: string): void {
    if (state === "chunk-size") {
      const [size = ""] = text.split(";");
      if (!/^[0-9a-fA-F]{1,12}\s*$/.test(size)) throw toNotHttpError(`chunk size ${quoteText(size)}`);
      const bytes = Number.parseInt(size, 16);
      enter(bytes === 0 ? "trailers" : "chunk", bytes);
    } else if (state === "chunk-end") {
      if (text !== "") throw toNotHttpError("chunk that is longer than its size");
      enter("chunk-size");
    } else if (state === "trailers") {
      if (text === "") endMessage();
    } else if (text !== "") {
      if (lines.push(text) === 1) on.begin(text);
    } else if (lines.length > 0) enterBody(on.head(lines)); // an empty line before a head is skipped: RFC 9112, 2.2
  }

  /** Takes bytes up to the end of a line and returns how many those were. */
  function readLine(bytes: Buffer): number {
    const end = bytes.indexOf(0x0a) + 1;
    const part = bytes.subarray(0, end === 0 ? bytes.byteLength : end);
    linesBytes += part.byteLength;
    if (linesBytes > maxLinesBytes) throw toNotHttpError(`head over ${maxLinesBytes} bytes`);
    line.push(Buffer.from(part));
    if (end > 0) {
      const text = Buffer.concat(line)
        .toString("latin1")
        .replace(/\r?\n$/, "");
      line = [];
      takeLine(text);
    }
    return part.byteLength;
  }

  function readBody(bytes: Buffer): number {
    const part = state === "until-close" ? bytes : bytes.subarray(0, leftBytes);
    leftBytes -= part.byteLength;
    on.body(part);
    if (leftBytes === 0 && state === "sized") endMessage();
    else if (leftBytes === 0 && state === "chunk") enter("chunk-end");
    return part.byteLength;
  }

  function take(bytes: Buffer): number {
    if (state === "opaque") return bytes.byteLength;
    const isBody = state === "sized" || state === "chunk" || state === "until-close";
    return isBody ? readBody(bytes) : readLine(bytes);
  }

  return {
    push(bytes) {
      for (let at = 0; at < bytes.byteLength;) at += take(bytes.subarray(at));
    },
    close() {
      if (state === "until-close") endMessage();
    },
  };
}
