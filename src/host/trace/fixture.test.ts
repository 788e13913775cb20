import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createFixtureFile,
  type Exchange,
  formatExchange,
  formatFixtureHeader,
  parseFixture,
  readFixtureFile,
} from "../index.ts";

const header = { plugin: "p", address: "unix:///run/p.sock", recordedAt: "2026-01-31T12:00:00.000Z" };
const exchange: Exchange = {
  startedAt: "2026-01-31T12:00:00.000Z",
  durationMs: 0.8,
  request: { method: "POST", url: "/T.A", headers: [["Host", ""]], body: { sizeBytes: 2, text: "{}" } },
  response: { status: 200, headers: [], body: { sizeBytes: 70_000, sha256: "0".repeat(64), base64: "AAEC" } },
};

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
  path = join(folder, "f.jsonl");
});
afterEach(() => rm(folder, { recursive: true }));

describe("a fixture", () => {
  it("is read as it was written", () => {
    const body = fc.oneof(
      fc.record({ sizeBytes: fc.nat(), text: fc.string({ unit: "binary" }) }),
      fc.record({ sizeBytes: fc.nat(), base64: fc.base64String(), sha256: fc.constant("a".repeat(64)) }),
    );
    const headers = fc.array(fc.tuple(fc.string(), fc.string({ unit: "binary" })));
    const any = fc.record(
      {
        startedAt: fc.constant(header.recordedAt),
        durationMs: fc.nat(),
        request: fc.record({ method: fc.string(), url: fc.string(), headers, body }),
        response: fc.record({ status: fc.nat(999), headers, body }),
        failure: fc.string(),
      },
      { requiredKeys: ["startedAt", "durationMs", "request"] },
    );
    fc.assert(
      fc.property(fc.array(any), (exchanges) => {
        const text = [formatFixtureHeader(header), ...exchanges.map(formatExchange)].join("");
        expect(parseFixture(text, "f")).toEqual({ header, exchanges, truncated: false });
      }),
    );
  });

  it("whose writer was killed lacks its last line, and says so", () => {
    const lines = formatFixtureHeader(header) + formatExchange(exchange);
    const last = formatExchange(exchange);
    expect(parseFixture(lines + last.slice(0, -1), "f").exchanges).toHaveLength(2);
    for (const end of [1, 20, last.length - 2]) {
      expect(parseFixture(lines + last.slice(0, end), "f")).toEqual({ header, exchanges: [exchange], truncated: true });
    }
  });

  it.each([
    ["", /^f holds no fixture$/],
    ["{", /^f holds no fixture$/],
    ["{\n", /^f, line 1 is not a fixture's: /],
    [
      '{"cleatFixture":2,"plugin":"p","address":"a","recordedAt":"2026-01-31T12:00:00.000Z"}\n',
      /line 1 .*cleatFixture: /,
    ],
    [`${formatFixtureHeader(header)}\n`, /line 2 /],
    [`${formatFixtureHeader(header)}{}\n`, /line 2 .*startedAt: /],
    [formatFixtureHeader(header) + formatExchange({ ...exchange, more: 1 } as Exchange), /line 2 .*more/],
    [formatFixtureHeader(header) + formatExchange(exchange).replace('"AAEC"', '"!"'), /line 2 .*body/],
  ])("that is %j is refused", (text, message) => {
    expect(() => parseFixture(text, "f")).toThrow(message);
  });
});

describe("a fixture's file", () => {
  it("is for its owner alone, and readable after each line", async () => {
    const file = await createFixtureFile(path, header);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFixtureFile(path)).toEqual({ header, exchanges: [], truncated: false });
    await Promise.all([1, 2, 3].map((durationMs) => file.append({ ...exchange, durationMs })));
    expect((await readFixtureFile(path)).exchanges.map(({ durationMs }) => durationMs)).toEqual([1, 2, 3]);
    await Promise.all([file.close(), file.close()]);
    await expect(file.append(exchange)).rejects.toThrow();
  });

  it("replaces another only when told to, and never widens its mode", async () => {
    await writeFile(path, "mine", { mode: 0o644 });
    await expect(createFixtureFile(path, header)).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    expect(await readFile(path, "utf8")).toBe("mine");
    await (await createFixtureFile(path, header, { replace: true })).close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readFixtureFile(path)).header).toEqual(header);
  });

  it("is refused when it is none", async () => {
    await expect(readFixtureFile(folder)).rejects.toThrow(/is not a file/);
    await expect(readFixtureFile(path)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(createFixtureFile(join(folder, "no/where"), header)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
