import { CleatError } from "../../errors/index.ts";

/**
 * Passes zstd on in pieces none of which goes beyond the end of a frame. Node's decompressor takes what follows a frame
 * in one piece for the end of all: of an archive of many frames, as zstd:chunked and pzstd make them, it would tell the
 * first alone, without an error; nor does that of Node 22 tell of every end that comes too early. Source: Node v24.21 `lib/zlib.js` `processCallback`; RFC 8878, 3.1.
 * @throws DATA_LOSS where no frame begins, a block is of no known type, or a frame ends too early.
 */
export async function* splitAtFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const steps = stepsThroughFrames();
  /** How many bytes are passed over before the next step, which wants to see `wanted` that come then. */
  let step = steps.next().value;
  const seen: number[] = [];
  for await (const bytes of source) {
    let begin = 0;
    let at = 0;
    while (at < bytes.length) {
      if (step.passed > 0) {
        const passed = Math.min(step.passed, bytes.length - at);
        step = { ...step, passed: step.passed - passed };
        at += passed;
      } else if (seen.length < step.wanted) seen.push(bytes[at++] as number);
      if (step.passed > 0 || seen.length < step.wanted) continue;
      if (step.endsFrame && at > begin) {
        yield bytes.subarray(begin, at);
        begin = at;
      }
      step = steps.next(seen.splice(0)).value;
    }
    if (begin < bytes.length) yield bytes.subarray(begin);
  }
  const isAtEnd = step.passed === 0 && seen.length === 0 && (step.beginsFrame ?? step.endsFrame);
  if (isAtEnd !== true) throw new CleatError("DATA_LOSS", "the last frame of zstd ends too early");
}

interface Step {
  readonly passed: number;
  /** Behind those, so many are handed in. */
  readonly wanted: number;
  readonly beginsFrame?: boolean;
  readonly endsFrame?: boolean;
}

type Steps = Generator<Step, never, readonly number[]>;

function* stepsThroughFrames(): Steps {
  for (;;) {
    const magic = toNumber(yield { passed: 0, wanted: 4, beginsFrame: true });
    if ((magic & ~0xf) >>> 0 === skippableMagic) {
      const length = toNumber(yield { passed: 0, wanted: 4 });
      yield { passed: length, wanted: 0, endsFrame: true };
    } else if (magic === frameMagic) yield* stepsThroughFrame();
    else throw new CleatError("DATA_LOSS", "what follows a frame of zstd is none");
  }
}

const frameMagic = 0xfd2f_b528;
const skippableMagic = 0x184d_2a50;

function* stepsThroughFrame(): Generator<Step, void, readonly number[]> {
  const [descriptor = 0] = yield { passed: 0, wanted: 1 };
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  let passed = (isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes;
  for (let isLast = false; !isLast;) {
    const header = toNumber(yield { passed, wanted: 3 });
    isLast = (header & 1) !== 0;
    const type = (header >> 1) & 3;
    if (type === reservedBlock) throw new CleatError("DATA_LOSS", "a block of zstd is of no known type");
    passed = type === repeatedBlock ? 1 : header >> 3;
  }
  yield { passed: passed + ((descriptor & 4) !== 0 ? checksumBytes : 0), wanted: 0, endsFrame: true };
}

const repeatedBlock = 1;
const reservedBlock = 3;
const checksumBytes = 4;

/** The lowest byte first. */
function toNumber(bytes: readonly number[]): number {
  return bytes.reduceRight((number, byte) => number * 256 + byte, 0);
}
