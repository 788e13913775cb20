/** The log driver with which projects begin, as `cleat new log` writes it. */
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LogDriver, LogEntry, LoggedContainer } from "../../../../logdriver/index.ts";
import { logTemplate } from "./log.ts";

let folder: string;
let openDriver: (folder: string) => Promise<LogDriver>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-log-template-"));
  const path = join(folder, "driver.ts");
  const text = String((await logTemplate.files("mine"))["src/driver.ts"]);
  const room = (name: string) => new URL(`../../../../${name}/index.ts`, import.meta.url).pathname;
  await writeFile(
    path,
    text.replaceAll(/"cleat\/(\w+)"/g, (_, name: string) => JSON.stringify(room(name))),
  );
  ({ openDriver } = (await import(path)) as { openDriver: typeof openDriver });
});
afterAll(() => rm(folder, { recursive: true }));

const id = "0".repeat(64);
const container = { id, options: {} } as unknown as LoggedContainer;
const noLoss = { dropped: 0 };
const entry = (at: number): LogEntry => ({ source: "stdout", timeNs: BigInt(at), line: Buffer.from(String(at)) });

async function read(entries: AsyncIterable<LogEntry> | undefined): Promise<number[]> {
  const seen: number[] = [];
  for await (const { line } of entries ?? []) seen.push(Number(Buffer.from(line).toString()));
  return seen;
}

it("gives those who follow each entry once, whenever they begin", async () => {
  const driver = await openDriver(join(folder, "followed"));
  const log = await driver.openLog(container);
  const count = 60;
  const followers: Promise<number[]>[] = [];
  for (let at = 0; at < count; at++) {
    const writing = log.write([entry(at)], noLoss);
    for (let turns = at % 5; turns >= 0; turns--) {
      followers.push(read(driver.readLogs?.(container, { follow: true })));
      await new Promise((resolve) => setImmediate(resolve)); // at another moment of the write
    }
    await writing;
  }
  await log.close();
  const all = Array.from({ length: count }, (_, at) => at);
  for (const seen of await Promise.all(followers)) expect(seen).toEqual(all);
});

it("loses nothing behind what a process wrote in part that was killed", async () => {
  const root = join(folder, "killed");
  const first = await (await openDriver(root)).openLog(container);
  await first.write([entry(0)], noLoss);
  await appendFile(join(root, `${id}.jsonl`), '{"timeNs":"1","source":"std');
  const next = await openDriver(root);
  const log = await next.openLog(container);
  await log.write([entry(2)], noLoss);
  await log.write([entry(3)], noLoss);
  expect(await read(next.readLogs?.(container, {}))).toEqual([0, 2, 3]);
});
