/**
 * Where the frames of a zstd file begin and end. A blob may have any number of them (that of zstd:chunked or pzstd has
 * thousands), and Node's decompressor takes the end of one for the end of all (nodejs/node#64741), but goes on when no
 * piece that it is given holds bytes of two.
 *
 * Source: RFC 8878, 3.1.
 */

const frameMagic = 0xfd2fb528;
/** The last four bits are anything. */
const skippableMagic = 0x184d2a50;

/** What comes next of a file, and how many bytes of it. */
type Step = "magic" | "skipped size" | "skipped" | "descriptor" | "header" | "block header" | "block" | "checksum";

/** Those whose bytes say what follows. */
const telling: ReadonlySet<Step> = new Set(["magic", "skipped size", "descriptor", "block header"]);
/** Those that the decompressor does not get: skippable frames, and what is no frame yet. */
const withheld: ReadonlySet<Step> = new Set(["magic", "skipped size", "skipped"]);

/**
 * The bytes of all frames but skippable ones, none of the pieces with bytes of two.
 * @throws an error whose code is `ERR_ZSTD_FRAMES` when the file ends within a frame, or holds anything else.
 */
export async function* splitZstdFrames(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const frames = createFrameReader();
  for await (const piece of file) yield* frames.take(piece);
  frames.end();
}

function createFrameReader() {
  let step: Step = "magic";
  let left = 4;
  let told: number[] = [];
  let hasChecksum = false;
  let isLast = false;

  const begin = (next: Step, count: number) => {
    step = next;
    left = count;
    told = [];
  };
  const afterHeader = () => begin("block header", 3);
  const afterBlocks = () => (hasChecksum ? begin("checksum", 4) : begin("magic", 4));
  const number = () => Buffer.from(told).readUIntLE(0, told.length);

  const hasRead = () => left === 0;
  /** What follows the step that has just been read. */
  const advance = () => {
    switch (step) {
      case "magic": {
        const magic = number();
        if (magic === frameMagic) return begin("descriptor", 1);
        if (Math.floor(magic / 16) === skippableMagic / 16) return begin("skipped size", 4);
        throw damaged("it holds something that is no frame");
      }
      case "skipped size":
        return begin("skipped", number());
      case "descriptor": {
        const descriptor = number();
        hasChecksum = (descriptor & 0b100) !== 0;
        return begin("header", headerBytes(descriptor));
      }
      case "block header": {
        const header = number();
        isLast = (header & 1) !== 0;
        const isRepeated = ((header >> 1) & 3) === 1; // one byte stands for all
        return begin("block", isRepeated ? 1 : header >> 3);
      }
      case "header":
        return afterHeader();
      case "block":
        return isLast ? afterBlocks() : afterHeader();
      default: // a checksum, or what was skipped
        return begin("magic", 4);
    }
  };

  return {
    *take(piece: Uint8Array): Generator<Uint8Array> {
      let from = 0;
      for (let at = 0; at < piece.length;) {
        const count = Math.min(left, piece.length - at);
        if (telling.has(step)) told.push(...piece.subarray(at, at + count));
        at += count;
        left -= count;
        while (hasRead()) {
          const [before, magic] = [step, told];
          advance();
          const [wasWithheld, isWithheld] = [withheld.has(before), withheld.has(step)];
          if (!wasWithheld && isWithheld) yield piece.subarray(from, at);
          if (wasWithheld && !isWithheld) {
            yield Uint8Array.from(magic);
            from = at;
          }
        }
      }
      if (!withheld.has(step) && from < piece.length) yield piece.subarray(from);
    },
    end() {
      if (step !== "magic" || told.length > 0) throw damaged("it ends within a frame");
    },
  };
}

/** What follows the descriptor: of the window, the dictionary and the size of the content. */
function headerBytes(descriptor: number): number {
  const isSingle = (descriptor & 0b100000) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? Number(isSingle) : 2 ** sizeFlag;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  return Number(!isSingle) + dictionaryBytes + sizeBytes;
}

function damaged(why: string): Error {
  return Object.assign(new Error(why), { code: "ERR_ZSTD_FRAMES" });
}
