import { getEventListeners } from "node:events";
import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { probeListener, serve } from "./index.ts";
import { clientOf, driver, folder, path, start, withResolvers } from "./serve.test.support.ts";

describe("a plugin whose socket cannot be removed", () => {
  const unhandled: unknown[] = [];
  const listener = (error: unknown) => void unhandled.push(error);
  beforeEach(() => void process.on("unhandledRejection", listener));
  afterEach(() => void process.off("unhandledRejection", listener));

  it("lets its running calls finish, closes its driver, and says so then", async () => {
    const [isRunning, isDone] = [withResolvers<void>(), withResolvers<string>()];
    let isClosed = false;
    const waiting = driver(
      () => {
        isRunning.resolve();
        return isDone.promise;
      },
      "Test",
      () => (isClosed = true),
    );
    const plugin = await serve({ drivers: [waiting], listen: { unix: path }, drainTimeoutMs: 5_000 });
    const called = clientOf(plugin.address).wait({});
    await isRunning.promise;
    await rename(dirname(path), join(folder, "elsewhere"));
    await writeFile(dirname(path), "no folder");
    const closing = plugin.close();
    closing.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20)); // in which Node tells of what nobody handles
    isDone.resolve("answered");
    expect(await called).toEqual({ Text: "answered" });
    await expect(closing).rejects.toMatchObject({ errors: [{ code: "ENOTDIR" }] });
    expect([isClosed, unhandled]).toEqual([true, []]);
  });
});

describe("a driver that fails when it hears where it is served", () => {
  it("is not served: its socket is gone, and nobody listens", async () => {
    const failing = {
      ...driver(),
      onListening() {
        throw new Error("no");
      },
    };
    await expect(start({ drivers: [failing] })).rejects.toThrow("no");
    expect(await readdir(dirname(path))).toEqual([]);
    expect(await probeListener({ path })).toBe("nobody");
    await start();
  });
});

it("a plugin that was closed is forgotten by the signal that would have closed it", async () => {
  const ending = new AbortController();
  await mkdir(dirname(path), { recursive: true });
  for (let round = 0; round < 3; round++) await (await start({ signal: ending.signal })).close();
  expect(getEventListeners(ending.signal, "abort")).toEqual([]);
});

it("a driver hears of the end before calls are waited for", async () => {
  const [isRunning, isEnding] = [withResolvers<void>(), withResolvers<string>()];
  const wait = () => {
    isRunning.resolve();
    return isEnding.promise;
  };
  const endless = { ...driver(wait), onClosing: () => isEnding.resolve("ended") };
  const plugin = await start({ drivers: [endless], drainTimeoutMs: 20_000 });
  const called = clientOf(plugin.address).wait({});
  await isRunning.promise;
  await plugin.close();
  expect(await called).toEqual({ Text: "ended" });
});
