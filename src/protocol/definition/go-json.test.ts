import { describe, expect, it } from "vitest";
import { z } from "zod";
import { SchemaError } from "../../errors/index.ts";
import { decodeGoJson, encodeGoJson, goBytes, goStruct } from "./go-json.ts";

const schema = goStruct({
  ID: z.string().optional(),
  Size: z.int().default(0),
  Opts: z.array(z.string()).default([]),
  StorageOpt: z.record(z.string(), z.string()).optional(),
  Maps: z.array(goStruct({ container_id: z.int() })).default([]),
  Data: goBytes.optional(),
});

const decode = (text: string) => decodeGoJson(schema, Buffer.from(text), "request to /X.Y", "INVALID_ARGUMENT");

describe("decodeGoJson", () => {
  it.each(["", "  \n", "{}", "null"])("takes %j for an object without fields", (text) => {
    expect(decode(text)).toEqual({ Size: 0, Opts: [], Maps: [] });
  });

  it("takes null for absent, at every depth", () => {
    expect(decode('{"ID":null,"Size":null,"Opts":null,"StorageOpt":null,"Maps":null,"Data":null}')).toEqual(
      decode("{}"),
    );
  });

  it("matches field names whatever their case, nested ones too", () => {
    expect(decode('{"id":"a","SIZE":3,"maps":[{"Container_ID":7}]}')).toMatchObject({
      ID: "a",
      Size: 3,
      Maps: [{ container_id: 7 }],
    });
  });

  it("lets the last of duplicates win", () => {
    expect(decode('{"ID":"a","ID":"b"}').ID).toBe("b");
    expect(decode('{"ID":"a","id":"b"}').ID).toBe("b");
  });

  it("ignores unknown fields", () => {
    expect(decode('{"Later":{"a":[1]}}')).toEqual(decode("{}"));
  });

  it("reads bytes from base64 and writes them back", () => {
    expect(decode('{"Data":"/wA="}').Data).toEqual(Buffer.from([255, 0]));
    const text = encodeGoJson(schema, { Size: 1, Opts: [], Maps: [], Data: Buffer.from([255, 0]) }, "x").toString();
    expect(JSON.parse(text)).toMatchObject({ Data: "/wA=" });
  });

  it("lets __proto__ reach no prototype", () => {
    const value = decode('{"__proto__":{"ID":"evil"},"StorageOpt":{"__proto__":"evil","size":"1G"}}');
    expect(value.ID).toBeUndefined();
    expect(value.StorageOpt).toEqual({ size: "1G" });
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).not.toContain("__proto__");
  });

  it("refuses what is nested without end", () => {
    const nested = (depth: number) => `{"Later":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    expect(decode(nested(999))).toEqual(decode("{}"));
    expect(() => decode(nested(1_000))).toThrow("nested more than 1000 deep");
    expect(decode(`{"ID":"${"[{".repeat(2_000)}\\""}`).ID).toHaveLength(4_001);
  });

  it.each([
    ['{"ID":', /^request to \/X\.Y does not fit its schema: not JSON/],
    ['{"ID":"a"} trailing', /not JSON/],
    ["[]", /expected object/],
    ['"text"', /expected object/],
    ['{"ID":3}', /ID: .*expected string/],
    ['{"Maps":[{"container_id":"x"}]}', /Maps\.0\.container_id: /],
    ['{"Data":"***"}', /Data: /],
  ])("refuses %s with one sentence", (text, message) => {
    const failure = catchError(() => decode(text));
    expect(failure).toBeInstanceOf(SchemaError);
    expect(failure).toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringMatching(message) });
  });
});

it("does not write what the schema does not allow", () => {
  const failure = catchError(() => encodeGoJson(goStruct({ Dir: z.string() }), { Dir: undefined as never }, "answer"));
  expect(failure).toMatchObject({ code: "INTERNAL" });
});

function catchError(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

it("tells on one line what is not JSON", () => {
  const bytes = Buffer.from('{"ID":\n\u001b[2Je');
  expect(() => decodeGoJson(z.unknown(), bytes, "message", "INVALID_ARGUMENT")).toThrow(
    /^[^\p{Cc}]*\\n\\u001b[^\p{Cc}]*$/u,
  );
});

describe("bytes", () => {
  const long = goStruct({ Body: goBytes });
  const read = (body: string) => decodeGoJson(long, Buffer.from(JSON.stringify({ Body: body })), "x", "DATA_LOSS");

  it("may be as long as an engine's answers", () => {
    const bytes = Buffer.alloc(24 * 1024 * 1024, "x");
    expect(read(bytes.toString("base64")).Body.equals(bytes)).toBe(true);
  });

  it.each(["***", "YQ", "YQ=", "Y===", "YQ==YQ==", "Y Q="])("are not %j", (text) => {
    expect(() => read(text)).toThrow(/Body/);
  });

  it.each(['"', "\\", '\\"', "[[[[{"])("may stand beside strings of many %j", (piece) => {
    const text = JSON.stringify({ Other: piece.repeat(5_000), Body: "YQ==" });
    expect(decodeGoJson(long, Buffer.from(text), "x", "DATA_LOSS").Body.toString()).toBe("a");
  });
});
