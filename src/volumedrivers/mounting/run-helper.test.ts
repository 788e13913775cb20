import { once } from "node:events";
import { expect, it } from "vitest";
import { runHelper } from "./run-helper.ts";

it.each([
  ["mkfs: x: No space left on device", "RESOURCE_EXHAUSTED"],
  ["cp: x: Disk quota exceeded", "RESOURCE_EXHAUSTED"],
  ["cp: x: Permission denied", "UNKNOWN"],
])("says by its code whether a program found a full disk: %s", async (words, code) => {
  const failing = runHelper("sh", ["-c", 'echo "$1" >&2; exit 1', "sh", words]);
  await expect(failing).rejects.toMatchObject({ code, message: `sh: ${words}` });
});

it.each([
  ["is killed", "kill -9 $$", "sh was killed by SIGKILL"],
  ["ends with a status", "exit 3", "sh ended with status 3"],
])("tells of a program that %s", async (_how, script, message) => {
  await expect(runHelper("sh", ["-c", script])).rejects.toMatchObject({ code: "UNKNOWN", message });
});

it("tells of a program that is not there, or may not be run", async () => {
  await expect(runHelper("no-such-program", [])).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
  await expect(runHelper("/etc/passwd", [])).rejects.toMatchObject({
    code: "PERMISSION_DENIED",
    message: expect.stringContaining("/etc/passwd"),
  });
});

it.each([
  ["hangs", "exec sleep 60"],
  ["leaves another behind that has its output", "sleep 60 & exit 0"],
])("waits no longer than its signal says for a program that %s", async (_how, script) => {
  const signal = AbortSignal.timeout(200);
  await expect(runHelper("sh", ["-c", script], { signal })).rejects.toBe(await reasonOf(signal));
});

it("keeps little of a program that says much, and tells the end of that", async () => {
  const much = "dd if=/dev/zero bs=1M count=20 2>/dev/null | tr '\\0' x";
  expect((await runHelper("sh", ["-c", much])).length).toBeLessThan(256 * 1024);
  const failure = await runHelper("sh", ["-c", `(${much}; echo; echo the end) >&2; exit 1`]).catch(
    (error: Error) => error,
  );
  expect(String(failure)).toMatch(/the end$/);
  expect(String(failure).length).toBeLessThan(5_000);
});

async function reasonOf(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await once(signal, "abort");
  return signal.reason;
}
