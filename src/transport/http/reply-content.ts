/**
 * What has come of a reply's content, in one piece. A piece as it comes is a part of what was read from the socket, up
 * to 64 KiB, all of which it keeps in memory: of a peer that sends single bytes with much between them, that would be
 * thousands of times the content. So the first is held as it is, and the others are copied behind it.
 */
export class ReplyContent {
  sizeBytes = 0;
  /** Only what is beyond the first piece is ever written to. */
  #held: Buffer = noBytes;

  add(piece: Buffer): void {
    const at = this.sizeBytes;
    this.sizeBytes += piece.length;
    if (at === 0) {
      this.#held = piece;
      return;
    }
    if (this.sizeBytes > this.#held.length) {
      const grown = Buffer.allocUnsafeSlow(2 * this.sizeBytes);
      grown.set(this.#held.subarray(0, at));
      this.#held = grown;
    }
    this.#held.set(piece, at);
  }

  get bytes(): Buffer {
    return this.#held.subarray(0, this.sizeBytes);
  }
}

const noBytes = Buffer.alloc(0);
