/** gRPC's frames: the same messages however the stream was cut, and a frame for each gives back the stream. */
import assert from "node:assert/strict";

import { createFrameReader, encodeFrame } from "#dist/grpc/wire/frames.js";

export const codes = ["RESOURCE_EXHAUSTED", "UNIMPLEMENTED", "INVALID_ARGUMENT"];
export const dictionary = ["\0\0\0\0\x05hello", "\0\0\0\0\0", "\x01\0\0\0\x01x", "\xff\xff\xff\xff", "\0\0\x10\0\0"];
export const seeds = ["\0\0\0\0\x05hello\0\0\0\0\0", "\0\0\0\0\x02ab\0\0\0\0\x01"];

const maxMessageBytes = 4096;

export function run(input) {
  const outcomes = [input.length + 1, 1, 3, 64].map((pieceBytes) => read(input, pieceBytes));
  for (const outcome of outcomes) assert.deepEqual(outcome, outcomes[0]);
}

function read(input, pieceBytes) {
  const reader = createFrameReader(maxMessageBytes, "INVALID_ARGUMENT");
  const messages = [];
  try {
    for (let at = 0; at < input.length; at += pieceBytes)
      messages.push(...reader.push(input.subarray(at, at + pieceBytes)).map((message) => Buffer.from(message)));
  } catch (error) {
    return error.message; // of a whole piece that ends so nothing is handed on
  }
  assert.ok(reader.heldBytes <= maxMessageBytes + 5);
  const frames = Buffer.concat(messages.map((message) => encodeFrame(message, maxMessageBytes)));
  assert.ok(input.subarray(0, input.length - reader.heldBytes).equals(frames), "frames do not give back the stream");
  return messages;
}
