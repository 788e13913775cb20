import { mkdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { at, locations, write } from "../discovery.test.support.ts";
import type { FolderWatchers } from "./folder-watchers.ts";
import { scanWatched } from "./scan-watched.ts";

/** Watchers that see nothing, and do something the moment that folders begin to be watched. */
function watchersThat(meanwhile: (round: number) => Promise<boolean>): FolderWatchers & { rounds(): number } {
  let round = 0;
  return { follow: async () => await meanwhile(++round), close() {}, rounds: () => round };
}
const scan = (watchers: FolderWatchers) => scanWatched(locations, watchers, () => {});

describe("a scan that is watched", () => {
  it("is done when everything was watched before it began", async () => {
    const watchers = watchersThat(async () => false);
    expect(await scan(watchers)).toEqual({ plugins: [], settled: true });
    expect(watchers.rounds()).toBe(1);
  });

  it("looks again for what came before the watch did", async () => {
    const watchers = watchersThat(async (round) => {
      if (round === 1) await write(at("etc/p.spec"), "tcp://127.0.0.1:1");
      return round === 1;
    });
    expect(await scan(watchers)).toMatchObject({ plugins: [{ name: "p" }], settled: true });
    expect(watchers.rounds()).toBe(2);
  });

  it("gives up for now when there is always something new to watch, and says so", async () => {
    const watchers = watchersThat(async (round) => {
      await mkdir(at(`run/n${round}`));
      return true;
    });
    expect(await scan(watchers)).toMatchObject({ settled: false });
    expect(watchers.rounds()).toBe(5);
  });
});
