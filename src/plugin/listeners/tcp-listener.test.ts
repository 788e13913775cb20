import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { clientOf, folder, start } from "../serve.test.support.ts";

describe("TCP", () => {
  it("writes a spec file that can be dialled, and removes it", async () => {
    const plugin = await start({
      listen: { tcp: { host: "127.0.0.1", port: 0 }, name: "p", specDirectory: join(folder, "etc") },
    });
    const spec = await readFile(join(folder, "etc", "p.spec"), "utf8");
    expect(spec).toBe(`${plugin.address}\n`);
    expect(await clientOf(spec.trim()).wait({})).toEqual({ Text: "done" });
    expect(await readdir(join(folder, "etc"))).toEqual(["p.spec"]);
    await plugin.close();
    expect(await readdir(join(folder, "etc"))).toEqual([]);
  });

  it("replaces the spec file of a dead process, not that of a living one", async () => {
    const listen = { tcp: { host: "127.0.0.1", port: 0 }, name: "p", specDirectory: folder };
    const dead = createServer().listen(0, "127.0.0.1");
    await once(dead, "listening");
    await writeFile(join(folder, "p.spec"), `tcp://127.0.0.1:${(dead.address() as { port: number }).port}`);
    await expect(start({ listen })).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    dead.close();
    await once(dead, "close");
    const plugin = await start({ listen });
    expect(await readFile(join(folder, "p.spec"), "utf8")).toBe(`${plugin.address}\n`);
  });

  it.each(["../p", "a/b", "", ".p", "x".repeat(80)])("refuses the name %j", async (name) => {
    const listen = { tcp: { host: "127.0.0.1", port: 0 }, name, specDirectory: folder };
    await expect(start({ listen })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});
