import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CleatError } from "../errors/index.ts";
import type { GraphDriver, GraphDriverFactory } from "../graphdriver/driver.ts";
import type { Surroundings } from "./command.ts";
import { commands, readVersion, run } from "./run.ts";

vi.mock("./graph-drivers.ts", () => ({
  selectDriver: async () => ({ factory: fakeFactory, driverName: "fake", note: "for this test" }),
}));

const content = new Map<string, string>();
const fakeFactory: GraphDriverFactory = {
  name: "fake",
  open: async ({ home }) => {
    const driver: Partial<GraphDriver> = {
      name: "fake",
      status: async () => [["Home", home]],
      put: async (id) => {
        throw new CleatError("NOT_FOUND", `layer "${id}" does not exist`);
      },
      diff: async (id) => Readable.from([Buffer.from(content.get(id) ?? "")]),
      applyDiff: async (id, _parent, source) => {
        content.set(id, await text(Readable.from(source)));
        return content.get(id)?.length ?? 0;
      },
      cleanup: async () => {},
      close: async () => {},
    };
    return driver as GraphDriver;
  },
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Options {
  readonly stdin?: Readable & { isTTY?: boolean };
  readonly stdoutIsTerminal?: boolean;
}

function start(argv: readonly string[], { stdin = Readable.from([]), stdoutIsTerminal = false }: Options = {}) {
  const stdout = Object.assign(new PassThrough(), { isTTY: stdoutIsTerminal });
  const stderr = new PassThrough();
  const surroundings: Surroundings = {
    stdin,
    stdout,
    stderr,
    env: { HOME: folder, XDG_RUNTIME_DIR: folder },
    uid: 1000,
    closingSignals: ["SIGUSR2"],
  };
  const ended = run(argv, surroundings).then(async (code) => {
    stdout.end();
    stderr.end();
    return { code, out: await text(stdout), err: await text(stderr) };
  });
  return { ended, stdout };
}

const cleat = (argv: readonly string[], options?: Options) => start(argv, options).ended;

describe("without work to do", () => {
  it.each([[[]], [["--help"]], [["help"]]])("%j prints every command and exit code", async (argv) => {
    const { code, out } = await cleat(argv);
    expect(code).toBe(0);
    for (const { name, summary } of commands) expect(out).toMatch(new RegExp(`cleat ${name} .*${summary}`));
    expect(out).toMatch(/\n {2}2 {2}the command line is wrong/);
  });

  it.each(commands.map(({ name, options }) => [name, options] as const))(
    "%s --help names each option",
    async (name, options) => {
      const { code, out } = await cleat([...name.split(" "), "--help"]);
      expect(code).toBe(0);
      for (const option of Object.keys(options)) expect(out).toContain(`--${option}`);
    },
  );

  it("--version prints the package's version", async () => {
    expect(await cleat(["--version"])).toMatchObject({ code: 0, out: `${readVersion()}\n` });
  });

  it("serve --help prints what can be served", async () => {
    const { code, out } = await cleat(["serve", "--help"]);
    expect(code).toBe(0);
    expect(out).toContain("cleat serve graph");
    expect(out).not.toContain("cleat call");
  });
});

describe("a wrong command line", () => {
  it.each([
    [["bogus"], /there is no command "bogus"/],
    [["serve"], /"serve" needs one more word: graph/],
    [["serve", "graph", "--bogus"], /Unknown option '--bogus'/],
    [["serve", "graph", "extra"], /takes no "extra"/],
    [["serve", "graph", "--name", "../x"], /plugin name "\.\.\/x"/],
    [["serve", "graph", "--root", "relative"], /--root takes an absolute path/],
    [["serve", "graph", "--log-level", "loud"], /log level "loud"/],
    [["serve", "graph", "--durability", "very"], /--durability/],
    [["serve", "graph", "--socket-mode", "999"], /--socket-mode/],
    [["serve", "graph", "--socket-group", "no such group"], /there is no group/],
    [["serve", "graph", "--tcp", "nowhere"], /tcp:\/\/nowhere/],
    [["call"], /call takes NAME METHOD/],
    [["call", "p", "GraphDriver.Nonsense"], /no method "GraphDriver.Nonsense"/],
    [["call", "p", "GraphDriver.Get", "{"], /not JSON/],
    [["call", "p", "GraphDriver.Get", '{"ID":7}'], /ID: /],
    [["call", "a b", "GraphDriver.Status"], /plugin name "a b"/],
    [["call", "p", "GraphDriver.Status", "--timeout", "soon"], /--timeout takes a number/],
  ])("%j is answered with one sentence", async (argv, message) => {
    const { code, out, err } = await cleat(argv);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err.split("\n")[0]).toMatch(/^cleat: /);
    expect(out).toBe("");
  });
});

/** Serves on the default socket until `stop`. */
async function serving(...options: string[]) {
  const { ended, stdout } = start(["serve", "graph", "--name", "p", "--log-level", "warn", ...options]);
  const printed: string = await Promise.race([
    once(stdout, "data").then(([chunk]) => String(chunk)),
    ended.then(({ err }) => Promise.reject(new Error(err))),
  ]);
  const stop = () => {
    process.emit("SIGUSR2", "SIGUSR2");
    return ended;
  };
  return { printed, stop };
}

describe("serve graph", () => {
  it("says what is served where, and what to try next", async () => {
    const { printed, stop } = await serving();
    expect(printed).toContain(`"p" at unix://${folder}/docker/plugins/p.sock`);
    expect(printed).toMatch(/driver {2}fake on \S+ \(for this test\)/);
    expect(printed).toContain("dockerd-rootless.sh --experimental -s p");
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
      next: `cleat call ${folder}/other.sock Plugin.Activate`,
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

describe("call", () => {
  it("prints answers, moves archives, and tells failures apart", async () => {
    const { stop } = await serving();
    expect(await cleat(["call", "p", "Plugin.Activate", "--json"])).toEqual({
      code: 0,
      out: '{"Implements":["GraphDriver"]}\n',
      err: "",
    });
    await cleat(["call", "p", "GraphDriver.Init"]);
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
});
