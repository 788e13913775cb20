import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { cleat } from "./run.test.support.ts";
import { commands, readVersion } from "./run.ts";

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
    [["serve", "graph", "--tcp", "nowhere"], /--tcp takes HOST:PORT/],
    [["call"], /call takes NAME METHOD/],
    [["call", "p", "GraphDriver.Nonsense"], /no method "GraphDriver.Nonsense"/],
    [["call", "p", "GraphDriver.Get", "{"], /not JSON/],
    [["call", "p", "GraphDriver.Get", '{"ID":7}'], /ID: /],
    [["call", "a b", "GraphDriver.Status"], /plugin name "a b"/],
    [["call", "p", "GraphDriver.Status", "--timeout", "soon"], /--timeout takes a number/],
    [["call", "p", "GraphDriver.Status", "--timeout", "1.2.3"], /--timeout takes a number/],
    [["ls", "--timeout", "-1"], /--timeout/],
    [["ls", "extra"], /ls takes no "extra"/],
    [["inspect"], /inspect takes NAME/],
    [["inspect", "a", "b"], /inspect takes NAME/],
    [["trace"], /trace takes NAME/],
    [["trace", "p", "--socket", "relative"], /--socket takes an absolute path/],
    [["trace", "p", "--force"], /--force goes with --save/],
    [["layers", "a", "b"], /layers takes one HOME/],
    [["layers", "--engine-root", "relative"], /--engine-root takes an absolute path/],
    [["fsck", "--driver", "nonesuch", "/"], /driver "nonesuch" is unknown/],
    [["fsck", "--remove-orphans"], /--remove-orphans goes with --repair/],
    [["trace", "tcp://127.0.0.1:1"], /give it one with --as/],
    [["trace", "tcp://127.0.0.1:1", "--as", "a b"], /plugin name "a b"/],
  ])("%j is answered with one sentence", async (argv, message) => {
    const { code, out, err } = await cleat(argv);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err.split("\n")[0]).toMatch(/^cleat: /);
    expect(out).toBe("");
  });
});

describe("an output that cannot be written", () => {
  const failing = (code: string) =>
    new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error(`${code}: write`), { code, syscall: "write" })),
    });

  it("is no failure when its reader went away early", async () => {
    expect(await cleat(["--help"], { stdout: failing("EPIPE") })).toMatchObject({ code: 0, err: "" });
  });

  it("is one when the disk is full", async () => {
    expect(await cleat(["--help"], { stdout: failing("ENOSPC") })).toMatchObject({
      code: 1,
      err: "cleat: stdout: ENOSPC: write\n",
    });
  });
});
