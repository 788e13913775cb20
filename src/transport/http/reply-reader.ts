/**
 * A short reply of HTTP/1.1, read from a connection's bytes. Whatever is not exactly one is refused, with its
 * connection: none of it is guessed at. Source: RFC 9112, and for limits Node v20 `src/node_http_parser.cc`.
 */

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
  readonly #limits: ReplyLimits;
  #next: "head" | "content" | "chunk size" | "chunk end" | "trailers" | "nothing" = "head";
  /** What has come of a line, or of a head, that is not whole yet. */
  #held: Buffer = noBytes;
  #isChunked = false;
  /** Of the content, or of a chunk; infinite where the connection's end is that of the content. */
  #leftBytes = 0;
  #trailerBytes = 0;
  #pieces: Buffer[] = [];
  #sizeBytes = 0;

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
    return this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces, this.#sizeBytes);
  }

  /** Returns how many bytes were of use; 0 when more have to come first. */
  #takeNext(bytes: Buffer): number {
    switch (this.#next) {
      case "head": {
        const lengthBytes = endOf(bytes, "\r\n\r\n", maxHeadBytes, "its head");
        if (lengthBytes < 0) {
          const start = bytes.toString("latin1", 0, everyStart.length);
          return everyStart.startsWith(start) ? 0 : refuse(noAnswer, start); // more than that may never come
        }
        this.#readHead(bytes.toString("latin1", 0, lengthBytes));
        return lengthBytes + 4;
      }
      case "content":
        return this.#takeContent(bytes);
      case "chunk size": {
        const lengthBytes = endOf(bytes, "\r\n", maxSizeLineBytes, "a chunk's size");
        if (lengthBytes < 0) return 0;
        this.#leftBytes = chunkSizeIn(bytes.toString("latin1", 0, lengthBytes));
        this.#next = this.#leftBytes === 0 ? "trailers" : "content";
        return lengthBytes + 2;
      }
      case "chunk end":
        if (bytes.length < 2) return 0;
        if (bytes[0] !== 0x0d || bytes[1] !== 0x0a) throw new Error("a chunk of its answer is longer than its size");
        this.#next = "chunk size";
        return 2;
      default: {
        const lengthBytes = endOf(bytes, "\r\n", maxHeadBytes - this.#trailerBytes, "what follows its answer");
        if (lengthBytes < 0) return 0;
        this.#trailerBytes += lengthBytes + 2;
        if (lengthBytes === 0) this.#next = "nothing";
        return lengthBytes + 2;
      }
    }
  }

  #takeContent(bytes: Buffer): number {
    const piece = bytes.length <= this.#leftBytes ? bytes : bytes.subarray(0, this.#leftBytes);
    this.#pieces.push(piece);
    this.#sizeBytes += piece.length;
    this.#leftBytes -= piece.length;
    const { maxReplyBytes, maxFailureBytes } = this.#limits;
    if (this.#sizeBytes > (this.status === 200 ? maxReplyBytes : maxFailureBytes)) {
      this.#next = "nothing";
      this.isReusable = false;
    } else if (this.#leftBytes === 0) this.#next = this.#isChunked ? "chunk end" : "nothing";
    return piece.length;
  }

  #readHead(head: string): void {
    const lines = head.split("\r\n");
    const [, version, status] = statusLine.exec(lines[0] as string) ?? refuse(noAnswer, head);
    let sizeBytes: number | undefined;
    let isChunked = false;
    let isKept = version === "1";
    for (let at = 1; at < lines.length; at++) {
      const line = lines[at] as string;
      const [, name, value] = fieldLine.exec(line) ?? refuse("its head has a malformed line", line);
      switch ((name as string).toLowerCase()) {
        case "content-length":
          if (sizeBytes !== undefined || !sizeText.test(value as string)) refuse("its length is none", line);
          sizeBytes = Number(value);
          break;
        case "transfer-encoding":
          if (isChunked || (value as string).toLowerCase() !== "chunked") refuse("its encoding is unknown", line);
          isChunked = true;
          break;
        case "connection":
          if (/\bclose\b/i.test(value as string)) isKept = false;
      }
    }
    if (isChunked && sizeBytes !== undefined) refuse("it is both chunked and of a length", head);
    const code = Number(status);
    if (code === 101) refuse("it switches to another protocol", head);
    if (code < 200) return; // the answer itself is still to come
    this.status = code;
    this.#isChunked = isChunked;
    this.#leftBytes = code === 204 || code === 304 ? 0 : (sizeBytes ?? Infinity);
    this.isReusable = isKept && (isChunked || this.#leftBytes !== Infinity);
    if (isChunked) this.#next = "chunk size";
    else this.#next = this.#leftBytes === 0 ? "nothing" : "content";
  }
}

const noBytes = Buffer.alloc(0);
const everyStart = "HTTP/1.";
const noAnswer = "it is no answer of HTTP/1.1";

/** Lines end in both characters, and neither stands elsewhere. */
const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const fieldLine = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;
const sizeText = /^\d{1,15}$/;
const chunkSizeLine = /^([\da-f]{1,12})(?:;[\t\x20-\x7e\x80-\xff]*)?$/i;

function chunkSizeIn(line: string): number {
  const [, size] = chunkSizeLine.exec(line) ?? refuse("a chunk's size is none", line);
  return Number.parseInt(size as string, 16);
}

/** Where `mark` stands; -1 when it has not come yet. */
function endOf(bytes: Buffer, mark: string, maxBytes: number, what: string): number {
  const at = bytes.indexOf(mark, 0, "latin1");
  if ((at < 0 ? bytes.length : at) > maxBytes) throw new Error(`${what} is over ${maxBytes} bytes`);
  return at;
}

function refuse(why: string, text: string): never {
  throw new Error(`${why}: ${JSON.stringify(text.slice(0, 100))}`);
}
