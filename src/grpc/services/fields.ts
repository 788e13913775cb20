/** What fields of messages there are: each is a function of its number, which is a fact of the `.proto` file. */
import { type BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { type Field, message, type Message } from "./message.ts";

export const string = (number: number): Field<string> => ({
  number,
  wireType: WireType.LengthDelimited,
  zero: () => "",
  read: (reader) => reader.string(true),
  write(writer, value) {
    if (value !== "") writer.tag(number, WireType.LengthDelimited).string(value);
  },
});

export const bytes = (number: number): Field<Uint8Array> => ({
  number,
  wireType: WireType.LengthDelimited,
  zero: () => noBytes,
  read: (reader) => reader.bytes(),
  write(writer, value) {
    if (value.length > 0) writer.tag(number, WireType.LengthDelimited).bytes(value);
  },
});

const noBytes = new Uint8Array(0);

export const bool = (number: number): Field<boolean> => ({
  number,
  wireType: WireType.Varint,
  zero: () => false,
  read: (reader) => reader.bool(),
  write(writer, value) {
    if (value) writer.tag(number, WireType.Varint).bool(value);
  },
});

export const int32 = (number: number): Field<number> => ({
  number,
  wireType: WireType.Varint,
  zero: () => 0,
  read: (reader) => reader.int32(),
  write(writer, value) {
    if (value !== 0) writer.tag(number, WireType.Varint).int32(value);
  },
});

export const int64 = (number: number): Field<bigint> => ({
  number,
  wireType: WireType.Varint,
  zero: () => 0n,
  read: (reader) => BigInt(reader.int64()),
  write(writer, value) {
    if (value !== 0n) writer.tag(number, WireType.Varint).int64(value);
  },
});

/** An enum by its names in the order of their numbers from 0; a number that has none is read as the first. */
export const enumeration = <const Names extends readonly [string, ...string[]]>(
  number: number,
  names: Names,
): Field<Names[number]> => ({
  number,
  wireType: WireType.Varint,
  zero: () => names[0],
  read: (reader) => names[reader.int32()] ?? names[0],
  write(writer, value) {
    const at = names.indexOf(value);
    if (at > 0) writer.tag(number, WireType.Varint).int32(at);
  },
});

/** A message inside a message; `undefined` where it is missing. */
export const embedded = <Out, In>(number: number, described: Message<Out, In>): Field<Out | undefined, In> => ({
  number,
  wireType: WireType.LengthDelimited,
  zero: () => undefined,
  read: (reader, before, end) => readEmbedded(reader, described, before, end),
  write(writer, value) {
    writer.tag(number, WireType.LengthDelimited).fork();
    described.writeFields(writer, value);
    writer.join();
  },
});

export const repeatedStrings = (number: number): Field<string[], readonly string[]> => ({
  number,
  wireType: WireType.LengthDelimited,
  zero: () => [],
  read(reader, before) {
    before.push(reader.string(true));
    return before;
  },
  write(writer, values) {
    for (const value of values) writer.tag(number, WireType.LengthDelimited).string(value);
  },
});

export const repeated = <Out, In>(number: number, described: Message<Out, In>): Field<Out[], readonly In[]> => ({
  number,
  wireType: WireType.LengthDelimited,
  zero: () => [],
  read(reader, before, end) {
    before.push(readEmbedded(reader, described, undefined, end));
    return before;
  },
  write(writer, values) {
    for (const value of values) {
      writer.tag(number, WireType.LengthDelimited).fork();
      described.writeFields(writer, value);
      writer.join();
    }
  },
});

/** `map<string, string>`. Any text is a key, "__proto__" too: who reads one asks `Object.hasOwn` first. */
export const stringMap = (number: number): Field<Record<string, string>, Readonly<Record<string, string>>> =>
  mapOf(number, string(2));

/** `map<string, M>`. */
export const messageMap = <Out, In>(
  number: number,
  described: Message<Out, In>,
): Field<Record<string, Out>, Readonly<Record<string, In>>> => {
  const value = embedded(2, described);
  return mapOf<Out, In>(number, { ...value, zero: () => described.decode(noBytes, "INTERNAL") } as Field<Out, In>);
};

function mapOf<Out, In>(
  number: number,
  value: Field<Out, In>,
): Field<Record<string, Out>, Readonly<Record<string, In>>> {
  const entry = message("map entry", { key: string(1), value: value as Field<unknown, never> });
  return {
    number,
    wireType: WireType.LengthDelimited,
    zero: () => ({}),
    read(reader, before, end) {
      const read = readEmbedded(reader, entry, undefined, end);
      setOwn(before, read.key, read.value as Out);
      return before;
    },
    write(writer, values) {
      for (const [key, item] of Object.entries(values)) {
        writer.tag(number, WireType.LengthDelimited).fork();
        entry.writeFields(writer, { key, value: item as never });
        writer.join();
      }
    },
  };
}

/** An assignment to "__proto__" would set something else. */
function setOwn<T>(record: Record<string, T>, key: string, value: T): void {
  if (key !== "__proto__") record[key] = value;
  else Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
}

function readEmbedded<Out, In>(
  reader: BinaryReader,
  described: Message<Out, In>,
  before: Out | undefined,
  outerEnd: number,
): Out {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > outerEnd) throw new RangeError(`${described.name} is longer than the message around it`);
  return described.readFields(reader, before, end);
}
