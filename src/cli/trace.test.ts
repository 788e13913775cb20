import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readFixtureFile } from "../host/index.ts";
import { listenAs, socketOf, startPlugin, startTlsPlugin } from "./plugins.test.support.ts";
import { cleat, folder, start } from "./run.test.support.ts";
import { createServer } from "node:net";

const answers = {
  "/Plugin.Activate": { Implements: ["VolumeDriver"] },
  "/VolumeDriver.Create": {},
  "/VolumeDriver.Mount": { Err: "no such volume\u001B[2J" },
};

/** Traces until `stop`, which resolves with all that was printed after the introduction. */
async function tracing(...argv: string[]) {
  const { ended, stdout } = start(["trace", ...argv]);
  let printed = "";
  stdout.on("data", (chunk) => (printed += String(chunk)));
  await Promise.race([once(stdout, "data"), ended.then(({ err }) => Promise.reject(new Error(err)))]);
  const introduction = printed;
  const stop = async () => {
    process.emit("SIGUSR2", "SIGUSR2");
    const { code, err } = await ended;
    return { code, err, out: printed.slice(introduction.length) };
  };
  return { introduction, stop };
}

describe("trace", () => {
  it("stands between an engine and a plugin, and prints what each call was about, and no option", async () => {
    await startPlugin("p", answers);
    const { introduction, stop } = await tracing("p");
    expect(introduction).toContain(
      `Cleat traces "p" at unix://${socketOf("p")} as "p-traced" at unix://${socketOf("p-traced")}`,
    );
    expect(introduction).toContain("docker volume create -d p-traced VOLUME");
    expect(introduction).toContain("dockerd --experimental -s p-traced");
    await cleat(["call", "p-traced", "Plugin.Activate"]);
    await cleat(["call", "p-traced", "VolumeDriver.Create", '{"Name":"v\u202E","Opts":{"password":"hunter2"}}']);
    await cleat(["call", "p-traced", "VolumeDriver.Mount", '{"Name":"v","ID":"c"}']);
    const { code, out, err } = await stop();
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}Plugin\.Activate {2}- {2}200 {2}\d+(\.\d)? ms {2}2\+31 B$/);
    expect(lines[1]).toMatch(/ {2}VolumeDriver\.Create {2}v\\u\{202e\} {2}200 /);
    expect(lines[2]).toMatch(/ {2}VolumeDriver\.Mount {2}v {2}500 .* {2}Err: no such volume\\x1b\[2J$/);
    expect(lines).toHaveLength(3);
    expect(out).not.toContain("hunter2");
    expect(existsSync(socketOf("p-traced"))).toBe(false);
    expect(existsSync(socketOf("p"))).toBe(true);
  });

  it("prints the same as lines of JSON", async () => {
    await startPlugin("p", answers);
    const { introduction, stop } = await tracing("p", "--json", "--as", "other");
    expect(JSON.parse(introduction)).toEqual({
      plugin: "p",
      target: `unix://${socketOf("p")}`,
      name: "other",
      address: `unix://${socketOf("other")}`,
    });
    await cleat(["call", "other", "VolumeDriver.Mount", '{"Name":"v","ID":"c"}']);
    const { out } = await stop();
    expect(JSON.parse(out)).toEqual({
      startedAt: expect.any(String),
      durationMs: expect.any(Number),
      method: "VolumeDriver.Mount",
      subject: "v",
      status: 500,
      requestBytes: 21,
      responseBytes: 33,
      err: "no such volume\u001B[2J",
    });
  });

  it("says of a call without an answer why, and goes on", async () => {
    await listenAs(
      "p",
      createServer((socket) => void socket.once("data", () => socket.destroy())),
    );
    const { stop } = await tracing("p");
    await cleat(["call", "p-traced", "VolumeDriver.List"]);
    await cleat(["call", "p-traced", "VolumeDriver.List"]);
    const { code, out } = await stop();
    expect(code).toBe(0);
    expect(out.match(/ {2}VolumeDriver\.List {2}- {2}--- .* {2}BROKEN before the answer: /g)).toHaveLength(2);
  });

  it("traces a plugin behind TLS, which the engine calls in clear", async () => {
    await startTlsPlugin("t", answers);
    await startTlsPlugin("stranger", answers, "other-ca.pem");
    const trusted = await tracing("t");
    const untrusted = await tracing("stranger");
    expect(await cleat(["call", "t-traced", "Plugin.Activate", "--json"])).toMatchObject({
      out: '{"Implements":["VolumeDriver"]}\n',
    });
    expect(await cleat(["call", "stranger-traced", "Plugin.Activate"])).toMatchObject({ code: 3 });
    const [{ out }, { out: failures }] = await Promise.all([trusted.stop(), untrusted.stop()]);
    expect(out).toMatch(/ Plugin\.Activate {2}- {2}200 /);
    expect(failures).toMatch(
      /BROKEN .*: plugin at https:\/\/127\.0\.0\.1:\d+ has a certificate of the authority .* not trusted/,
    );
  });
});

describe("trace --save", () => {
  it("keeps whole exchanges for their owner alone", async () => {
    await startPlugin("p", answers);
    const path = join(folder, "p.jsonl");
    const { stop } = await tracing("p", "--save", path);
    await cleat(["call", "p-traced", "VolumeDriver.Create", '{"Name":"v","Opts":{"password":"hunter2"}}']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await stop();
    expect(await readFixtureFile(path)).toMatchObject({
      header: { plugin: "p", address: `unix://${socketOf("p")}` },
      exchanges: [{ request: { url: "/VolumeDriver.Create", body: { text: expect.stringContaining("hunter2") } } }],
      truncated: false,
    });
  });

  it("replaces no file unless told to, nor when it cannot start, and leaves no socket then", async () => {
    await startPlugin("p", answers);
    const path = join(folder, "p.jsonl");
    await writeFile(path, "mine");
    expect(await cleat(["trace", "p", "--save", path])).toMatchObject({
      code: 1,
      err: `cleat: fixture "${path}" is there already, and was left alone\n`,
    });
    expect(existsSync(socketOf("p-traced"))).toBe(false);
    expect(await cleat(["trace", "p", "--save", path, "--force", "--socket", socketOf("p")])).toMatchObject({
      code: 1,
      err: expect.stringContaining("another process listens on it"),
    });
    expect(await readFile(path, "utf8")).toBe("mine");
    const { stop } = await tracing("p", "--save", path, "--force");
    await stop();
    expect((await readFixtureFile(path)).exchanges).toEqual([]);
  });
});

it("says where it looked for a plugin that is not there", async () => {
  expect(await cleat(["trace", "nobody"])).toMatchObject({ code: 3, err: expect.stringContaining(socketOf("nobody")) });
});
