import { describe, expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { formatJsonSpec, parseSpec } from "../index.ts";

const parse = (format: "spec" | "json", text: string) => parseSpec(format, Buffer.from(text), 'spec file "x"');
const https = { https: { host: "h.example", port: 1 } };

describe("a .spec file", () => {
  it("holds an address", () => {
    expect(parse("spec", " tcp://h:1 \n\n")).toEqual({ address: { tcp: { host: "h", port: 1 } }, tls: undefined });
  });
});

describe("a .json file", () => {
  const files = {
    caFile: "/ca.pem",
    certFile: "/cert.pem",
    keyFile: "/key.pem",
    serverName: "s.example",
    insecureSkipVerify: false,
  };

  it("is read as it was written", () => {
    expect(parse("json", formatJsonSpec("p", "https://h.example:1", files))).toEqual({ address: https, tls: files });
  });

  it("leaves out what is not told", () => {
    const text = formatJsonSpec("p", "https://h.example:1", { caFile: "/ca.pem" });
    expect(JSON.parse(text)).toEqual({ Name: "p", Addr: "https://h.example:1", TLSConfig: { CAFile: "/ca.pem" } });
  });

  it.each([
    [
      "with fields as Docker writes them",
      '{"Addr":"https://h.example:1","TLSConfig":{"CAFile":"","InsecureSkipVerify":true}}',
      true,
    ],
    ["with names in another case", '{"addr":"https://h.example:1","tlsconfig":{"insecureskipverify":true}}', true],
    ["without a TLSConfig", '{"Name":"p","Addr":"https://h.example:1"}', undefined],
    ["with a null one", '{"Addr":"https://h.example:1","TLSConfig":null}', undefined],
  ])("%s is read; not verifying must be said outright", (_what, text, insecureSkipVerify) => {
    expect(parse("json", text)).toEqual({ address: https, tls: { insecureSkipVerify } });
  });

  it("may name a socket, or what is called in plaintext", () => {
    expect(parse("json", '{"Addr":"unix:///s"}')).toEqual({ address: { unix: "/s" }, tls: undefined });
    expect(parse("json", '{"Addr":"tcp://h:1","TLSConfig":{}}').tls).toBeUndefined();
  });
});

it.each<["spec" | "json", string, RegExp]>([
  ["spec", "", /^spec file "x" holds no address$/],
  ["spec", "tcp:/", /^spec file "x": address "tcp:\/" is none of/],
  ["spec", "tcp://h:1\ntcp://h:2", /is none of/],
  ["spec", "tcp://h:1\0", /is none of/],
  ["json", "", /holds no address$/],
  ["json", "{}", /holds no address$/],
  ["json", '{"Addr":"https://h', /not JSON/],
  ["json", '{"Addr":7}', /Addr: /],
  ["json", '{"Addr":"https://h:1","TLSConfig":"/ca.pem"}', /TLSConfig: /],
  ["json", '{"Addr":"https://h:1","TLSConfig":{"InsecureSkipVerify":"true"}}', /InsecureSkipVerify: /],
  [
    "json",
    '{"Addr":"tcp://h:1","TLSConfig":{"CAFile":"/ca.pem"}}',
    /has a TLSConfig, but tcp:\/\/h:1 is called in plaintext/,
  ],
  ["json", "[]", /spec file "x"/],
])("a .%s file that holds %j is refused", (format, text, message) => {
  const failure = (() => {
    try {
      return parse(format, text);
    } catch (error) {
      return error;
    }
  })();
  expect(failure).toBeInstanceOf(CleatError);
  expect(failure).toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringMatching(message) });
});
