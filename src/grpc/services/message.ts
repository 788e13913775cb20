/**
 * Messages of protocol buffers, described where they are used.
 *
 * A description is a table of fields in TypeScript; the type of a decoded message and of what may be encoded are
 * derived from it. There is no code generator, whose releases need a newer Node than Cleat does, and there are no
 * descriptors to parse when a program starts: `@bufbuild/protobuf`'s reflection knows messages it was given at run time
 * as "any message", so its reader and writer of the wire format are what is used of it. Field numbers are facts of the
 * `.proto` file that a table names.
 *
 * As proto3 has it: a field that is its type's zero is not written, one that is missing is read as zero, an unknown one
 * or one of another wire type is skipped, of a repeated singular one the last counts, messages are merged.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { CleatError, type ErrorCode } from "../../errors/index.ts";

/** One field: `Out` is what it is decoded to, `In` what it may be encoded from. */
export interface Field<Out, In = Out> {
  readonly number: number;
  readonly wireType: WireType;
  zero(): Out;
  /** The value after what stands on the wire; `end` bounds a field that has fields of its own. */
  read(reader: BinaryReader, before: Out, end: number): Out;
  /** Writes tag and value, or nothing for zero. */
  write(writer: BinaryWriter, value: In): void;
}

// A table holds fields of every type, so `never` and `unknown` stand for what they take and give.
type Fields = Readonly<Record<string, Field<unknown, never>>>;

export type Decoded<F extends Fields> = { [K in keyof F]: F[K] extends Field<infer Out, never> ? Out : never };
export type Encodable<F extends Fields> = {
  readonly [K in keyof F]?:
    | (F[K] extends { write(writer: BinaryWriter, value: infer In): void } ? In : never)
    | undefined;
};

export interface Message<Out = unknown, In = never> {
  /** The full name: "containerd.types.Mount". */
  readonly name: string;
  encode(value: In): Uint8Array;
  /** @throws `code` when the bytes are not such a message; a text that is not UTF-8 is none. */
  decode(bytes: Uint8Array, code: ErrorCode): Out;
  readFields(reader: BinaryReader, into: Out | undefined, end: number): Out;
  writeFields(writer: BinaryWriter, value: In): void;
}

export type MessageOut<M> = M extends Message<infer Out, never> ? Out : never;
export type MessageIn<M> = M extends { encode(value: infer In): Uint8Array } ? In : never;

/** Describes a message. `name` is its full name in the `.proto` file. */
export function message<const F extends Fields>(name: string, fields: F): Message<Decoded<F>, Encodable<F>> {
  type Out = Decoded<F>;
  const list = Object.entries(fields) as [string, Field<unknown>][];
  const byNumber = new Map(list.map(([key, field]) => [field.number, { key, field }]));
  const create = (): Record<string, unknown> => {
    const made: Record<string, unknown> = {};
    for (const [key, field] of list) made[key] = field.zero();
    return made;
  };
  const described: Message<Out, Encodable<F>> = {
    name,
    encode(value) {
      const writer = new BinaryWriter();
      described.writeFields(writer, value);
      return writer.finish();
    },
    decode(bytes, code) {
      const reader = new BinaryReader(bytes);
      try {
        return described.readFields(reader, undefined, bytes.length);
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        throw new CleatError(code, `message ${name} is malformed at byte ${reader.pos}: ${problem}`, { cause: error });
      }
    },
    readFields(reader, into, end) {
      const made = (into as Record<string, unknown> | undefined) ?? create();
      while (reader.pos < end) {
        const [number, wireType] = reader.tag();
        const known = byNumber.get(number);
        if (known?.field.wireType !== wireType) reader.skip(wireType, number);
        else made[known.key] = known.field.read(reader, made[known.key], end);
      }
      if (reader.pos > end) throw new RangeError("field is longer than its message");
      return made as Out;
    },
    writeFields(writer, value) {
      const given = value as Readonly<Record<string, unknown>>;
      for (const [key, field] of list) if (given[key] !== undefined) field.write(writer, given[key]);
    },
  };
  return described;
}

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
