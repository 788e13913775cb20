import { expect, it } from "vitest";

import { assertLayerId } from "./layer-id.ts";

it.each(["sha256:0123abcd", "", ".hidden", "a/b", "caf\xe9", "x".repeat(129)])(
  "an id such as %j is refused with the pattern, in signs and in words",
  (id) => {
    expect(() => assertLayerId(id)).toThrow(
      /^layer id ".*".* is not of the form \^\[A-Za-z0-9\]\S+\$: a letter or digit and up to 127 more/,
    );
  },
);

it.each(["a", "0123abcd-init", "x".repeat(128)])("%j may name a layer", (id) => {
  expect(() => assertLayerId(id)).not.toThrow();
});
