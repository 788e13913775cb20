/** What of a certificate, a key or an authority is of no use is said at once, and names it. */
import { createPrivateKey } from "node:crypto";
import { expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { createHttpServer, createHttpTransport, type TlsClientOptions } from "../index.ts";
import { identity, pem } from "./tls.test.support.ts";

const own = identity("client");
const locked = createPrivateKey(own.key).export({
  type: "pkcs8",
  format: "pem",
  cipher: "aes-256-cbc",
  passphrase: "x",
});
const https = { host: "127.0.0.1", port: 1 };

const useless: readonly [string, TlsClientOptions, RegExp][] = [
  ["an authority that is not PEM", { ca: "garbage" }, /: ca holds no certificate in PEM$/],
  ["an empty authority, as of a file being written", { ca: "" }, /: ca holds no certificate in PEM$/],
  ["a key for an authority", { ca: own.key }, /: ca holds no certificate in PEM$/],
  ["half an authority", { ca: pem("ca.pem").slice(0, 200) }, /: ca holds half a certificate$/],
  ["one and a half", { ca: pem("ca.pem") + pem("ca.pem").slice(0, 200) }, /: ca holds half a certificate$/],
  ["a damaged authority", { ca: pem("ca.pem").replace("MII", "AAA") }, /: ca: certificate 1 of 1 is damaged: /],
  [
    "a damaged second one",
    { ca: pem("ca.pem") + pem("ca.pem").replace("MII", "AAA") },
    /: ca: certificate 2 of 2 is damaged: /,
  ],
  ["a certificate without key", { cert: own.cert }, /: cert is given without key$/],
  ["a key without certificate", { key: own.key }, /: key is given without cert$/],
  ["a certificate that is not PEM", { ...own, cert: "garbage" }, /: cert holds no certificate in PEM$/],
  ["both the wrong way round", { cert: own.key, key: own.cert }, /: cert holds no certificate in PEM$/],
  ["a key that is not PEM", { ...own, key: "garbage" }, /: key is not a private key in PEM without a passphrase: /],
  [
    "a key with a passphrase",
    { ...own, key: String(locked) },
    /: key is not a private key in PEM without a passphrase: /,
  ],
  ["a key of another certificate", { ...own, key: pem("server-key.pem") }, /: cert and key are of no use together: /],
];

it.each(useless)("a client refuses %s", (_what, tls, message) => {
  const failure = failureOf(() => createHttpTransport({ https }, { tls }));
  expect(failure.message).toMatch(/^https:\/\/127\.0\.0\.1:1: /);
  expect(failure.message).toMatch(message);
  expect(leaks(failure)).toBe(false);
});

it.each(useless.filter(([, { ca, cert, key }]) => ca !== undefined || (cert !== undefined && key !== undefined)))(
  "a server refuses %s",
  (_what, { ca, ...tls }, message) => {
    const failure = failureOf(() =>
      createHttpServer(async () => ({ status: 200, body: Buffer.of() }), {
        tls: { ...identity("server"), clientCa: ca, ...tls } as never,
      }),
    );
    expect(failure.message).toMatch(
      ca === undefined ? message : new RegExp(message.source.replace(": ca", ": clientCa")),
    );
    expect(leaks(failure)).toBe(false);
  },
);

function failureOf(act: () => unknown): CleatError {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(CleatError);
    expect(error).toHaveProperty("code", "INVALID_ARGUMENT");
    return error as CleatError;
  }
  throw new Error("nothing was refused");
}

/** Whether a line of a key is in what is logged of a failure. */
function leaks({ message, stack, cause }: CleatError): boolean {
  const shown = `${message} ${stack} ${cause instanceof Error ? cause.stack : ""}`;
  return [own.key, pem("server-key.pem"), String(locked)]
    .flatMap((key) => key.split("\n"))
    .some((line) => line.length > 20 && !line.startsWith("-----") && shown.includes(line));
}
