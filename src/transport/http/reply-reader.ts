/**
 * A short reply of HTTP/1.1, read from a connection's bytes. Whatever is not exactly one is refused, with its
 * connection: none of it is guessed at. Source: RFC 9112, and for limits Node v20 `src/node_http_parser.cc`.
 */
import { ReplyContent } from "./reply-content.ts";

/** Of a reply's head, and of all that follows the last chunk. */
const maxHeadBytes = 16 * 1024;
const maxSizeLineBytes = 1024;

export interface ReplyLimits {
  readonly maxReplyBytes: number;
  /** Of a reply with another status than 200. */
  readonly maxFailureBytes: number;
}

/** A class, because there is one for each call. */
export class ReplyReader {
  /** 0 until the head is there. */
  status = 0;
  /** Whether the connection can carry another call, once the reply is whole. */
  isReusable = true;
  /** How long the peer keeps the connection open for that, in milliseconds; infinite where it does not say. */
  keptMs = Infinity;
  readonly #limits: ReplyLimits;
  #next: "status" | "headers" | "content" | "chunk size" | "chunk end" | "trailers" | "nothing" = "status";
  /** What has come of a line that is not whole yet. */
  #held: Buffer = noBytes;
  /** How much longer the head may be, or what follows the last chunk. */
  #roomBytes = maxHeadBytes;
  /** As the head has it, which may be that of a reply which only announces another. */
  #code = 0;
  #lengthBytes: number | undefined;
  #isChunked = false;
  #isKept = true;
  /** Of the content, or of a chunk; infinite where the connection's end is that of the content. */
  #leftBytes = 0;
  readonly #content = new ReplyContent();

  constructor(limits: ReplyLimits) {
    this.#limits = limits;
  }

  /** @throws Error when the bytes are none of a reply. */
  take(bytes: Buffer): void {
    let rest = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    this.#held = noBytes;
    while (rest.length > 0 && this.#next !== "nothing") {
      const used = this.#takeNext(rest);
      if (used === 0) {
        this.#held = rest;
        return;
      }
      rest = rest.subarray(used);
    }
    if (rest.length > 0) this.isReusable = false; // somebody sends what nobody has asked for
  }

  /** To be told when the peer has sent all that it will. */
  end(): void {
    if (this.#next === "content" && this.#leftBytes === Infinity) this.#next = "nothing";
  }

  /** Whether all is there, or more than is allowed. */
  get isWhole(): boolean {
    return this.#next === "nothing";
  }

  get body(): Buffer {
    return this.#content.bytes;
  }

  /** Returns how many bytes were of use; 0 when more have to come first. */
  #takeNext(bytes: Buffer): number {
    switch (this.#next) {
      case "content":
        return this.#takeContent(bytes);
      case "chunk end":
        if (!lineEnd.startsWith(bytes.toString("latin1", 0, 2)))
          throw new Error("a chunk of it is longer than its size");
        if (bytes.length < 2) return 0;
        this.#next = "chunk size";
        return 2;
      case "status":
        if (bytes[0] === 0x0d || bytes[0] === 0x0a) return 1; // some peers end a reply with a line too many
        if (!startsAsReply(bytes)) refuse(noAnswer, bytes.toString("latin1", 0, 100)); // more may never come
        return this.#takeLine(bytes, "its head");
      case "chunk size":
        this.#roomBytes = maxSizeLineBytes;
        return this.#takeLine(bytes, "a chunk's size");
      default:
        return this.#takeLine(bytes, this.#next === "headers" ? "its head" : "what follows it");
    }
  }

  #takeLine(bytes: Buffer, what: string): number {
    const at = bytes.indexOf(lineEnd, 0, "latin1");
    if ((at < 0 ? bytes.length : at) > this.#roomBytes) throw new Error(`${what} is too long`);
    if (at < 0) return bytes.includes(0x0a) ? refuse("a line feed stands alone", bytes.toString("latin1")) : 0;
    this.#roomBytes -= at;
    this.#readLine(bytes.toString("latin1", 0, at));
    return at + lineEnd.length;
  }

  #readLine(line: string): void {
    switch (this.#next) {
      case "status":
        return this.#readStatus(line);
      case "headers":
        return line === "" ? this.#endHead() : this.#readHeader(line);
      case "chunk size":
        this.#leftBytes = chunkSizeIn(line);
        this.#next = this.#leftBytes === 0 ? "trailers" : "content";
        this.#roomBytes = maxHeadBytes;
        return;
      default:
        if (line === "") this.#next = "nothing";
        else checkTrailer(line);
    }
  }

  #takeContent(bytes: Buffer): number {
    const piece = bytes.length <= this.#leftBytes ? bytes : bytes.subarray(0, this.#leftBytes);
    this.#content.add(piece);
    this.#leftBytes -= piece.length;
    const { maxReplyBytes, maxFailureBytes } = this.#limits;
    if (this.#content.sizeBytes > (this.status === 200 ? maxReplyBytes : maxFailureBytes)) {
      this.#next = "nothing";
      this.isReusable = false;
    } else if (this.#leftBytes === 0) this.#next = this.#isChunked ? "chunk end" : "nothing";
    return piece.length;
  }

  #readStatus(line: string): void {
    const [, version, code] = statusLine.exec(line) ?? refuse(noAnswer, line);
    this.#code = Number(code);
    if (this.#code === 101) refuse("it switches to another protocol", line);
    this.#isKept = version === "1";
    this.#isChunked = false;
    this.#lengthBytes = undefined;
    this.#next = "headers";
  }

  #readHeader(line: string): void {
    const [, name, value = ""] = fieldLine.exec(line) ?? refuse("its head has a malformed line", line);
    switch ((name as string).toLowerCase()) {
      case "content-length":
        if (this.#lengthBytes !== undefined || !sizeText.test(value)) refuse("its length is none", line);
        this.#lengthBytes = countOf(value, 10, line);
        break;
      case "transfer-encoding":
        if (this.#isChunked || !chunkedText.test(value)) refuse("its encoding is unknown", line);
        this.#isChunked = true;
        break;
      case "connection":
        if (/\bclose\b/i.test(value)) this.#isKept = false;
        break;
      case "keep-alive":
        this.keptMs = Number(/\btimeout=(\d+)/i.exec(value)?.[1] ?? Infinity) * 1000;
    }
    if (this.#isChunked && this.#lengthBytes !== undefined) refuse("it is both chunked and of a length", line);
  }

  #endHead(): void {
    const lengthBytes = this.#lengthBytes;
    this.#roomBytes = maxHeadBytes;
    if (this.#code < 200) {
      if (!this.#isKept) refuse("the connection ends before it", String(this.#code));
      this.#next = "status"; // the answer itself is still to come
      return;
    }
    this.status = this.#code;
    if (this.status === 204 || this.status === 304) {
      this.#next = "nothing"; // whatever its head says: what may still come is not to meet the next call
      this.isReusable = this.#isKept && !this.#isChunked && (lengthBytes ?? 0) === 0;
      return;
    }
    this.#leftBytes = lengthBytes ?? Infinity;
    this.isReusable = this.#isKept && (this.#isChunked || lengthBytes !== undefined);
    if (this.#isChunked) this.#next = "chunk size";
    else this.#next = this.#leftBytes === 0 ? "nothing" : "content";
  }
}

const noBytes = Buffer.alloc(0);
const lineEnd = "\r\n";
const everyStart = "HTTP/1.";
const noAnswer = "it is no answer of HTTP/1.1";

/**
 * Lines end in both characters, and neither stands elsewhere. No part of a pattern may give back what another could
 * take: of a line of blanks, each such part makes the time another power of its length.
 */
const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const fieldLine = /^([\w!#$%&'*+.^`|~-]+):([\t\x20-\x7e\x80-\xff]*)$/;
/** Blanks beside them are no tabs, which Node's parser takes for a part of some. */
const sizeText = /^ *\d+ *$/;
const chunkedText = /^ *chunked *$/i;
const chunkSizeLine = /^([\da-f]+)(?:;[\w!#$%&'*+.^`|~-]+(?:=(?:[\w!#$%&'*+.^`|~-]+|"[^"\\]*"))?)*$/i;

function chunkSizeIn(line: string): number {
  const [, size] = chunkSizeLine.exec(line) ?? refuse("a chunk's size is none", line);
  return countOf(size as string, 16, line);
}

function countOf(digits: string, radix: number, line: string): number {
  const count = Number.parseInt(digits, radix);
  return Number.isSafeInteger(count) ? count : refuse("its length is beyond all", line);
}

/** It is of no use here; what would tell another length than the head is refused. */
function checkTrailer(line: string): void {
  const [, name] = fieldLine.exec(line) ?? refuse("a malformed line follows it", line);
  if (/^(?:content-length|transfer-encoding)$/i.test(name as string)) refuse("its length follows it", line);
}

function startsAsReply(bytes: Buffer): boolean {
  return everyStart.startsWith(bytes.toString("latin1", 0, everyStart.length));
}

function refuse(why: string, text: string): never {
  throw new Error(`${why}: ${JSON.stringify(text.slice(0, 100))}`);
}
