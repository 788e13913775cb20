import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type ServerResponse } from "node:http";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { readFixtureFile } from "../../host/index.ts";
import { listenAs, socketOf, specOf, startPlugin, startTlsPlugin, stopPlugins } from "./plugins.test.support.ts";
import { cleat, folder, start } from "../run.test.support.ts";

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
  it("takes the plugin's place, and gives it back", async () => {
    await startPlugin("p", answers);
    await chmod(socketOf("p"), 0o640);
    const { ino } = await stat(socketOf("p"));
    const { introduction, stop } = await tracing("p");
    expect(introduction).toContain(`Cleat traces "p" at unix://${socketOf("p")}, in its place`);
    expect((await stat(socketOf("p"))).ino).not.toBe(ino);
    expect((await stat(socketOf("p"))).mode & 0o777).toBe(0o640);
    expect(await cleat(["call", "p", "VolumeDriver.Mount", '{"Name":"v","ID":"c"}'])).toMatchObject({ code: 4 });
    const listed = JSON.parse((await cleat(["ls", "--json"])).out) as { name: string; path: string }[];
    expect(listed.filter(({ path }) => path.startsWith(folder)).map(({ name }) => name)).toEqual(["p"]);
    const { code, out, err } = await stop();
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/ {2}VolumeDriver\.Mount {2}v {2}500 /);
    expect((await stat(socketOf("p"))).ino).toBe(ino);
    expect(await readdir(dirname(socketOf("p")))).toEqual(["p.sock"]);
    expect(await cleat(["call", "p", "Plugin.Activate"])).toMatchObject({ code: 0 });
  });

  it("lets a call that runs when it ends come to its end", async () => {
    let answer: (response: ServerResponse) => void = () => {};
    const asked = new Promise<ServerResponse>((resolve) => (answer = resolve));
    await listenAs(
      "p",
      createHttpServer((_request, response) => answer(response)),
    );
    const { stop } = await tracing("p");
    const called = cleat(["call", "p", "VolumeDriver.List"]);
    const response = await asked;
    const stopped = stop();
    while ((await readdir(dirname(socketOf("p")))).length > 1) await nextTurn();
    response.end('{"Volumes":[]}');
    expect(await called).toMatchObject({ code: 0 });
    expect((await stopped).out).toMatch(/ VolumeDriver\.List {2}- {2}200 /);
  });

  it("is not stood in front of by a second one", async () => {
    await startPlugin("p", answers);
    const { stop } = await tracing("p");
    expect(await cleat(["trace", "p"])).toEqual({
      code: 1,
      out: "",
      err: `cleat: socket "${socketOf("p")}" is being traced already\n`,
    });
    await stop();
  });

  it("does not take the place of a plugin that is not there", async () => {
    await startPlugin("q", answers);
    await rename(socketOf("q"), socketOf("p"));
    await cleat(["call", "p", "Plugin.Activate"]);
    stopPlugins();
    expect(await cleat(["trace", "p"])).toMatchObject({
      code: 3,
      err: `cleat: nobody listens on socket "${socketOf("p")}": start the plugin first\n`,
    });
    expect(await readdir(dirname(socketOf("p")))).toEqual(["p.sock"]);
  });

  it("stands before the spec file of a plugin on TCP", async () => {
    await startTlsPlugin("t", answers);
    const { introduction, stop } = await tracing("t");
    expect(introduction).toContain(
      `at unix://${socketOf("t")}, where engines look before they read ${specOf("t.json")}`,
    );
    expect(await cleat(["call", "t", "Plugin.Activate"])).toMatchObject({ code: 0 });
    expect((await stop()).out).toMatch(/ Plugin\.Activate {2}- {2}200 /);
    expect(await readdir(dirname(socketOf("t")))).toEqual([]);
  });

  it("stands between an engine and a plugin, and prints what each call was about, and no option", async () => {
    await startPlugin("p", answers);
    const { introduction, stop } = await tracing("p", "--as", "p-traced");
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
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} {2}Plugin\.Activate {2}- {2}200 {2}\d+(\.\d)? ms {2}2\+31 B {2}process \d+ \(.+\)$/,
    );
    expect(lines[1]).toMatch(/ {2}VolumeDriver\.Create {2}v\\u\{202e\} {2}200 /);
    expect(lines[2]).toMatch(
      / {2}VolumeDriver\.Mount {2}v {2}500 .* B {2}process \d+ \(.+\) {2}Err: no such volume\\x1b\[2J$/,
    );
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
      stands: "beside the plugin",
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
      caller: expect.stringMatching(`^process ${process.pid} \\(.+\\)$`),
      err: "no such volume\u001B[2J",
    });
  });

  it("says of a call without an answer why, and goes on", async () => {
    await listenAs(
      "p",
      createServer((socket) => void socket.once("data", () => socket.destroy())),
    );
    const { stop } = await tracing("p", "--as", "p-traced");
    await cleat(["call", "p-traced", "VolumeDriver.List"]);
    await cleat(["call", "p-traced", "VolumeDriver.List"]);
    const { code, out } = await stop();
    expect(code).toBe(0);
    expect(out.match(/ {2}VolumeDriver\.List {2}- {2}--- .* {2}BROKEN before the answer: /g)).toHaveLength(2);
  });

  it("traces a plugin behind TLS, which the engine calls in plaintext", async () => {
    await startTlsPlugin("t", answers);
    await startTlsPlugin("stranger", answers, "other-ca.pem");
    const trusted = await tracing("t", "--as", "t-traced");
    const untrusted = await tracing("stranger", "--as", "stranger-traced");
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
    const { stop } = await tracing("p", "--as", "p-traced", "--save", path);
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
    expect(await cleat(["trace", "p", "--as", "p-traced", "--save", path])).toMatchObject({
      code: 1,
      err: `cleat: fixture "${path}" is there already, and was left alone\n`,
    });
    expect(existsSync(socketOf("p-traced"))).toBe(false);
    expect(await cleat(["trace", "p", "--save", path, "--force", "--socket", socketOf("p")])).toMatchObject({
      code: 1,
      err: expect.stringContaining("another process listens on it"),
    });
    expect(await readFile(path, "utf8")).toBe("mine");
    const { stop } = await tracing("p", "--as", "p-traced", "--save", path, "--force");
    await stop();
    expect((await readFixtureFile(path)).exchanges).toEqual([]);
  });
});

it("trace --save --force replaces nothing that is not a file", async () => {
  await startPlugin("p", answers);
  await mkdir(join(folder, "it"));
  expect(await cleat(["trace", "p", "--save", join(folder, "it"), "--force"])).toEqual({
    code: 1,
    out: "",
    err: `cleat: fixture "${join(folder, "it")}" is not a file, and was left alone\n`,
  });
  expect(await readdir(dirname(socketOf("p")))).toEqual(["p.sock"]);
});

it("says where it looked for a plugin that is not there", async () => {
  expect(await cleat(["trace", "nobody"])).toMatchObject({ code: 3, err: expect.stringContaining(socketOf("nobody")) });
});
