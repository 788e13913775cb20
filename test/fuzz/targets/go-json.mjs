/** Messages of every protocol: what is decoded and encoded again is decoded to the same. */
import assert from "node:assert/strict";

import { decodeGoJson, encodeGoJson, protocols } from "#dist/protocol/index.js";

export const codes = ["INVALID_ARGUMENT"];

const schemas = protocols.flatMap(({ methods }) =>
  Object.values(methods).flatMap(({ request, response }) => (response === undefined ? [request] : [request, response])),
);

export const dictionary = [
  ...new Set(protocols.flatMap(({ methods }) => JSON.stringify(methods).match(/"[A-Z][A-Za-z]+"/g) ?? [])),
  '"ID":"',
  '"Parent":',
  '"Home":"/h"',
  '"Opts":',
  '"UIDMaps":[',
  '"StorageOpt":{',
  '"__proto__":',
  '"Err":"',
  "null",
  "1e400",
  "-0",
  "\\ud800",
  "[[[[",
  "{}",
];
/** The first byte says which message it is to be. */
export const seeds = schemas.flatMap((_, at) => [
  String.fromCharCode(at) + '{"ID":"a","Parent":"b","Name":"n","Path":"/p"}',
  String.fromCharCode(at) +
    '{"Home":"/h","Opts":null,"UIDMaps":null,"GIDMaps":[{"container_id":0,"host_id":1,"size":2}]}',
]);

export function run(input) {
  const schema = schemas[(input[0] ?? 0) % schemas.length];
  const decoded = decodeGoJson(schema, input.subarray(1), "message", "INVALID_ARGUMENT");
  const encoded = encodeGoJson(schema, decoded, "message");
  assert.deepEqual(decodeGoJson(schema, encoded, "message", "INVALID_ARGUMENT"), decoded);
  assert.equal({}.polluted, undefined);
}
