/**
 * Exchanges as text, to keep and to replay: JSON Lines. The first line is a header, each further line an exchange:
 *
 *     {"cleatFixture":1,"plugin":"data","address":"unix:///run/docker/plugins/data.sock",
 *      "recordedAt":"2026-01-31T12:00:00.000Z"}
 *     {"startedAt":"…","durationMs":0.8,"request":{"method":"POST","url":"/VolumeDriver.Get","headers":[["Host",""]],
 *      "body":{"sizeBytes":13,"text":"{\"Name\":\"v\"}\n"}},"response":{"status":200,"headers":[…],"body":{…}}}
 *
 * A body that is not UTF-8, or has zeros in it, is `base64` instead of `text`; one of which only the beginning was
 * recorded has the `sha256` of all of it. Bodies hold what engines and plugins tell each other, passwords in options
 * included.
 */
import { z } from "zod";
import { CleatError } from "../../errors/index.ts";
import type { Exchange } from "./exchange.ts";

export interface FixtureHeader {
  /** The plugin's name. */
  readonly plugin: string;
  /** Where it listened. */
  readonly address: string;
  /** ISO 8601 in UTC. */
  readonly recordedAt: string;
}

export interface Fixture {
  readonly header: FixtureHeader;
  readonly exchanges: readonly Exchange[];
  /** Whether the last line was left out because it is not whole: its writer was killed. */
  readonly truncated: boolean;
}

export function formatFixtureHeader({ plugin, address, recordedAt }: FixtureHeader): string {
  return `${JSON.stringify({ cleatFixture: 1, plugin, address, recordedAt })}\n`;
}

export function formatExchange(exchange: Exchange): string {
  return `${JSON.stringify(exchange)}\n`;
}

/**
 * Reads a fixture; `subject` begins the message of an error.
 * @throws INVALID_ARGUMENT when it is none, or a line of it is wrong; the message tells which.
 */
export function parseFixture(content: string, subject: string): Fixture {
  const lines = content.split("\n");
  const last = lines.pop() ?? "";
  const truncated = last !== "" && parseJson(last) === undefined;
  if (last !== "" && !truncated) lines.push(last); // an editor left out the final newline
  const [first, ...rest] = lines;
  if (first === undefined) throw new CleatError("INVALID_ARGUMENT", `${subject} holds no fixture`);
  const { cleatFixture: _version, ...header } = decodeLine(headerSchema, first, `${subject}, line 1`);
  const exchanges = rest.map((line, index) => decodeLine(exchangeSchema, line, `${subject}, line ${index + 2}`));
  return { header, exchanges, truncated };
}

const sizeBytes = z.int().nonnegative();
const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .optional();
const body = z.union([
  z.strictObject({ sizeBytes, sha256, text: z.string() }),
  z.strictObject({ sizeBytes, sha256, base64: z.base64() }),
]);
const headers = z.array(z.tuple([z.string(), z.string()]));
const headerSchema = z.strictObject({
  cleatFixture: z.literal(1),
  plugin: z.string(),
  address: z.string(),
  recordedAt: z.iso.datetime(),
});
const exchangeSchema = z.strictObject({
  startedAt: z.iso.datetime(),
  durationMs: z.number().nonnegative(),
  request: z.strictObject({ method: z.string(), url: z.string(), headers, body }),
  response: z.strictObject({ status: z.int(), headers, body }).optional(),
  failure: z.string().optional(),
});

function decodeLine<S extends z.ZodType>(schema: S, line: string, subject: string): z.output<S> {
  const result = schema.safeParse(parseJson(line));
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => [path.join("."), message].filter(Boolean).join(": "));
  throw new CleatError("INVALID_ARGUMENT", `${subject} is not a fixture's: ${problems.join("; ")}`);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // no schema takes it
  }
}
