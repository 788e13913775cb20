import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { silentLogger } from "../../transport/index.ts";
import type { RemoveOptions } from "../driver.ts";
import { removeBehind } from "./remove-behind.ts";

/** A driver whose layers go at `leave`, and whose files are deleted at `end`. */
function slowDriver() {
  let options: RemoveOptions | undefined;
  let settle!: { resolve(): void; reject(error: Error): void };
  return {
    driver: {
      remove(_id: string, given?: RemoveOptions) {
        options = given;
        return new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
      },
    },
    leave: () => options?.onGone?.(),
    end: (error?: Error) => (error === undefined ? settle.resolve() : settle.reject(error)),
    evenWithChildren: () => options?.evenWithChildren,
  };
}

const pending = Symbol("pending");
const stateOf = (work: Promise<void>) => Promise.race([work, Promise.resolve(pending)]);

describe("a removal", () => {
  it("ends when the layer is gone, and not before", async () => {
    const { driver, leave, evenWithChildren } = slowDriver();
    const removed = removeBehind(driver, "layer", tmpdir(), silentLogger);
    expect(await stateOf(removed)).toBe(pending);
    leave();
    expect(await stateOf(removed)).toBeUndefined();
    expect(evenWithChildren()).toBe(true);
  });

  it("waits for the files where it cannot be seen how much room there is", async () => {
    const { driver, leave, end } = slowDriver();
    const removed = removeBehind(driver, "layer", `${tmpdir()}/nowhere/to/be/found`, silentLogger);
    leave();
    expect(await stateOf(removed)).toBe(pending);
    end();
    await removed;
  });

  it("fails when the layer stays", async () => {
    const { driver, end } = slowDriver();
    const removed = removeBehind(driver, "layer", tmpdir(), silentLogger);
    end(new CleatError("NOT_FOUND", "no such layer"));
    await expect(removed).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("has succeeded when the files stay, which the logger is told", async () => {
    const { driver, leave, end } = slowDriver();
    const warnings: unknown[] = [];
    const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) };
    const removed = removeBehind(driver, "layer", tmpdir(), logger);
    leave();
    const error = new CleatError("INTERNAL", "input/output error");
    end(error);
    await removed;
    await new Promise(setImmediate);
    expect(warnings).toEqual([{ err: error, layer: "layer" }]);
  });
});
