/**
 * Messages of protocol buffers, described where they are used; `fields.ts` has the types of their fields.
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
import { BinaryReader, BinaryWriter, type WireType } from "@bufbuild/protobuf/wire";
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
