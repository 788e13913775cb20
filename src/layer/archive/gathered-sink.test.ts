import { expect, it } from "vitest";
import { createGatheredSink } from "./gathered-sink.ts";

it("has memory of its own while another archive of the thread is written", () => {
  const [first, second]: [Buffer[], Buffer[]] = [[], []];
  const sinkOf = (parts: Buffer[]) => createGatheredSink({ write: (bytes) => void parts.push(Buffer.from(bytes)) });
  sinkOf([]).end(); // leaves its buffer to the next
  const [one, other] = [sinkOf(first), sinkOf(second)];
  one.write(Buffer.from("one"));
  other.write(Buffer.from("other"));
  one.end();
  other.end();
  expect([first, second].map((parts) => String(Buffer.concat(parts)))).toEqual(["one", "other"]);
});
