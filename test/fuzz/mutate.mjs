/** Changes an input: a few of these, one after another. */
const maxBytes = 16_384;

const numbers = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

const changes = [
  (input, { int }) => withBytes(input, int(input.length), 1, Buffer.of(int(256))),
  (input, { int }) => {
    const changed = Buffer.from(input);
    changed[int(input.length)] ^= 1 << int(8);
    return changed;
  },
  (input, { int }) => withBytes(input, int(input.length), 1 + int(16), noBytes),
  (input, { int }) => withBytes(input, int(input.length), int(512), noBytes),
  (input, { int }) => withBytes(input, int(input.length + 1), 0, Buffer.alloc(1 + int(64), int(256))),
  (input, { int }) => {
    const from = int(input.length);
    return withBytes(input, int(input.length + 1), 0, input.subarray(from, from + 1 + int(600)));
  },
  (input, { int, pick }, { dictionary }) => withBytes(input, int(input.length + 1), 0, pick(dictionary)),
  (input, { int, pick }, { dictionary }) => {
    const word = pick(dictionary);
    return withBytes(input, int(input.length), word.length, word);
  },
  (input, { int, pick }, { pool }) => {
    const other = pick(pool);
    return Buffer.concat([input.subarray(0, int(input.length + 1)), other.subarray(int(other.length + 1))]);
  },
  (input, { int, pick }, { pool }) => {
    const other = pick(pool);
    const from = int(other.length + 1);
    return withBytes(input, int(input.length + 1), 0, other.subarray(from, from + int(1200)));
  },
  (input, { int, pick }) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(pick(numbers));
    return withBytes(input, int(input.length), 4, pick([bytes, bytes.toReversed(), bytes.subarray(2)]));
  },
  (input, { int }) => {
    const at = int(input.length);
    const digit = input[at] ?? 0;
    return digit >= 0x30 && digit <= 0x39 ? withBytes(input, at, 1, Buffer.from(String(int(100)))) : input;
  },
  (input, { int }) => input.subarray(0, int(input.length + 1)),
];

const noBytes = Buffer.alloc(0);

function withBytes(input, at, removed, added) {
  return Buffer.concat([input.subarray(0, at), added, input.subarray(at + removed)]);
}

/** `pool` is what was found to be of interest, `dictionary` words of the language. */
export function mutate(input, random, { pool, dictionary }) {
  const words = dictionary.length > 0 ? dictionary : [Buffer.from("0")];
  let changed = input;
  for (let times = 1 + random.int(random.pick([1, 2, 4, 8])); times > 0; times--)
    changed = random.pick(changes)(changed.length > 0 ? changed : Buffer.of(0), random, { pool, dictionary: words });
  return changed.subarray(0, maxBytes);
}
