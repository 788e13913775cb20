import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { socketOf, startPlugin, startTlsPlugin } from "./plugins.test.support.ts";
import { cleat, folder, serving } from "../run.test.support.ts";

describe("call", () => {
  it("prints answers, moves archives, and tells failures apart", async () => {
    const { stop } = await serving();
    expect(await cleat(["call", "p", "Plugin.Activate", "--json"])).toEqual({
      code: 0,
      out: '{"Implements":["GraphDriver"]}\n',
      err: "",
    });
    await cleat(["call", "p", "GraphDriver.Init", '{"Home":""}']);
    const stdin = Readable.from([Buffer.from("an archive")]);
    expect(await cleat(["call", "p", "GraphDriver.ApplyDiff", '{"id":"a"}'], { stdin })).toMatchObject({
      out: '{\n  "Size": 10\n}\n',
    });
    expect(await cleat(["call", "p", "GraphDriver.Diff", '{"id":"a"}'])).toMatchObject({ code: 0, out: "an archive" });
    expect(await cleat(["call", "p", "GraphDriver.Put", '{"ID":"b"}'])).toMatchObject({
      code: 4,
      err: 'cleat: plugin "p" answered /GraphDriver.Put with 500: layer "b" does not exist\n',
    });
    await stop();
  });

  it("does not print archives on terminals, nor read them from there", async () => {
    const { stop } = await serving();
    const terminal = Object.assign(Readable.from([]), { isTTY: true });
    expect(await cleat(["call", "p", "GraphDriver.ApplyDiff", '{"id":"a"}'], { stdin: terminal })).toMatchObject({
      code: 2,
    });
    expect(await cleat(["call", "p", "GraphDriver.Diff", '{"ID":"a"}'], { stdoutIsTerminal: true })).toMatchObject({
      code: 2,
    });
    await stop();
  });

  it("says where it looked for a plugin that is not there", async () => {
    const { code, err } = await cleat(["call", "nobody", "GraphDriver.Status"]);
    expect(code).toBe(3);
    expect(err).toContain(`${folder}/docker/plugins/nobody.sock`);
    expect(err).toContain(`${folder}/.config/docker/plugins/nobody.spec`);
    expect(await cleat(["call", "/nowhere/x.sock", "GraphDriver.Status"])).toMatchObject({
      code: 3,
      err: expect.stringContaining("unix:///nowhere/x.sock"),
    });
  });

  it("finds a plugin by its spec file, and gives up in time", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    await mkdir(join(folder, ".config/docker/plugins"), { recursive: true });
    const { port } = silent.address() as { port: number };
    await writeFile(join(folder, ".config/docker/plugins/q.spec"), `tcp://127.0.0.1:${port}\n`);
    expect(await cleat(["call", "q", "GraphDriver.Status", "--timeout", "0.05"])).toMatchObject({
      code: 3,
      err: expect.stringMatching(/no answer within 50 ms/),
    });
    silent.closeAllConnections();
    silent.close();
  });

  it("calls every protocol there is, over TLS too, found by a .json file", async () => {
    await startTlsPlugin("t", { "/VolumeDriver.Path": { Mountpoint: "/mnt/v\u009B" } });
    expect(await cleat(["call", "t", "VolumeDriver.Path", '{"Name":"v"}', "--json"])).toEqual({
      code: 0,
      out: '{"Mountpoint":"/mnt/v\\u009b"}\n',
      err: "",
    });
  });

  it("does not let a plugin's failure write to the terminal", async () => {
    await startPlugin("p", { "/VolumeDriver.List": { Err: "\u001B[2Jgone\nroot:" } });
    expect(await cleat(["call", "p", "VolumeDriver.List"])).toMatchObject({
      code: 4,
      err: 'cleat: plugin "p" answered /VolumeDriver.List with 500: \\x1b[2Jgone\\nroot:\n',
    });
  });

  it("waits for a plugin that is not there yet, by name and by path", async () => {
    const waiting = cleat(["call", "late", "VolumeDriver.List", "--wait", "9", "--json"]);
    const byPath = cleat(["call", socketOf("late"), "VolumeDriver.List", "--wait", "9", "--json"]);
    await startPlugin("late", { "/Plugin.Activate": { Implements: ["Other"] }, "/VolumeDriver.List": { Volumes: [] } });
    for (const call of [waiting, byPath]) expect(await call).toEqual({ code: 0, out: '{"Volumes":[]}\n', err: "" });
    expect(await cleat(["call", "nobody", "VolumeDriver.List", "--wait", "0.05"])).toMatchObject({ code: 3 });
  });
});
