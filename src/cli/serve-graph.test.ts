import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cleat, folder, serving } from "./run.test.support.ts";

describe("serve graph", () => {
  it("says what is served where, and what to try next", async () => {
    const { printed, stop } = await serving();
    expect(printed).toContain(`"p" at unix://${folder}/docker/plugins/p.sock`);
    expect(printed).toMatch(/driver {2}fake on \S+ \(for this test\)/);
    expect(printed).toContain(`npx cleat call ${folder}/docker/plugins/p.sock Plugin.Activate`);
    expect(await stop()).toMatchObject({ code: 0 });
    expect(existsSync(join(folder, "docker/plugins/p.sock"))).toBe(false);
  });

  it("prints the same as JSON", async () => {
    const { printed, stop } = await serving("--json", "--socket", join(folder, "other.sock"));
    expect(JSON.parse(printed)).toMatchObject({
      name: "p",
      address: `unix://${folder}/other.sock`,
      driver: "fake",
      root: join(folder, ".local/share/cleat"),
      next: `npx cleat call ${folder}/other.sock Plugin.Activate`,
    });
    await stop();
  });

  it("keeps layers under the engine's Home, under --home, or under --root", async () => {
    const homes: string[] = [];
    const ask = async (init: string, ...options: string[]) => {
      const { stop } = await serving("--root", join(folder, "root"), ...options);
      await cleat(["call", "p", "GraphDriver.Init", init]);
      const { out } = await cleat(["call", "p", "GraphDriver.Status", "--json"]);
      homes.push((JSON.parse(out) as { Status: [[string, string]] }).Status[0][1]);
      await stop();
    };
    await ask(`{"Home":"${folder}/engine"}`);
    await ask(`{"Home":"${folder}/engine"}`, "--home", join(folder, "mine"));
    await ask("{}");
    expect(homes).toEqual([join(folder, "engine"), join(folder, "mine"), join(folder, "root/layers/p")]);
  });

  it("goes on after a restart where the engine does not know of it", async () => {
    const first = await serving();
    await cleat(["call", "p", "GraphDriver.Init", `{"Home":"${folder}/engine"}`]);
    await first.stop();
    const second = await serving();
    expect(await cleat(["call", "p", "GraphDriver.Status"])).toMatchObject({ code: 0 });
    await cleat(["call", "p", "GraphDriver.Cleanup"]);
    await second.stop();
    const third = await serving();
    expect(await cleat(["call", "p", "GraphDriver.Status"])).toMatchObject({
      code: 4,
      err: expect.stringContaining("the engine sends Init first"),
    });
    await third.stop();
  });

  it("says who is in the way", async () => {
    const { stop } = await serving();
    expect(await cleat(["serve", "graph", "--name", "p"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("another process listens on it"),
    });
    await stop();
  });
});
