import { expect, it } from "vitest";
import { CleatError, SystemError } from "../errors/index.ts";
import { toLayerError } from "./layer-error.ts";

it.each([
  [new SystemError(28, "symlink", "../14/diff"), "layer \"14\": ENOSPC: no space left on device, symlink '../14/diff'"],
  [new CleatError("RESOURCE_EXHAUSTED", "ENOSPC: symlink '../14/diff'"), "layer \"14\": ENOSPC: symlink '../14/diff'"],
  [new CleatError("NOT_FOUND", 'layer "14" is not there'), 'layer "14" is not there'],
])("an error about a layer names it once: %s", (error, message) => {
  expect(toLayerError(error, "14").message).toBe(message);
});
