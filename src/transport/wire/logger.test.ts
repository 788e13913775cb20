import { expect, it, vi } from "vitest";
import { errorLogger } from "../index.ts";

it("a standard error that nobody reads any more does not end the process", () => {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    errorLogger.error({ method: "/Test.Call" }, "failed unforeseen");
    errorLogger.error({}, "once more");
    expect(write).toHaveBeenCalledTimes(2);
    expect(() => process.stderr.emit("error", new Error("write EPIPE"))).not.toThrow();
    expect(process.stderr.listenerCount("error")).toBe(1);
  } finally {
    write.mockRestore();
  }
});
