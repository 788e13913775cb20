import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { cleat } from "./run.test.support.ts";
import { commands } from "./commands.ts";
import { readVersion } from "./terminal/version.ts";

describe("without work to do", () => {
  it.each([[[]], [["--help"]], [["-h"]], [["help"]], [["help", "-h"]]])(
    "%j prints every command and exit code",
    async (argv) => {
      const { code, out } = await cleat(argv);
      expect(code).toBe(0);
      for (const { name, summary } of commands) expect(out).toMatch(new RegExp(`cleat ${name} .*${summary}`));
      expect(out).toMatch(/\n {2}2 {2}the command line is wrong/);
    },
  );

  it.each(commands.map(({ name, load }) => [name, load] as const))(
    "%s --help names each option",
    async (name, load) => {
      const { options } = await load();
      const words = name.split(" ");
      const { code, out } = await cleat([...words, "--help"]);
      expect(code).toBe(0);
      for (const option of Object.keys(options)) expect(out).toContain(`--${option}`);
      expect(out).toMatch(/\n {2}5 {2}something is wrong with a store/);
      for (const argv of [
        ["help", ...words],
        [...words, "-h"],
        ["--help", ...words],
        [...words, "--bogus", "-h"],
      ]) {
        expect(await cleat(argv)).toEqual({ code: 0, out, err: "" });
      }
    },
  );

  it.each([[["--version"]], [["-V"]], [["ls", "-V"]]])("%j prints the package's version", async (argv) => {
    expect(await cleat(argv)).toMatchObject({ code: 0, out: `${readVersion()}\n` });
  });

  it("serve --help prints what can be served", async () => {
    const { code, out } = await cleat(["serve", "--help"]);
    expect(code).toBe(0);
    expect(out).toContain("cleat serve graph");
    expect(out).not.toContain("cleat call");
  });
});

describe("a wrong command line", () => {
  const helpOf = (argv: readonly string[]) => {
    const command = commands.find(({ name }) => `${argv.join(" ")} `.startsWith(`${name} `));
    return command === undefined ? "cleat --help" : `cleat ${command.name} --help`;
  };

  it.each([
    [["bogus"], /there is no command "bogus"/],
    [["serve"], /"serve" needs one more word: graph/],
    [["serve", "--root", "/x"], /"serve" needs one more word: graph/],
    [["serve", "graph", "--bogus"], /serve graph has no option "--bogus"$/],
    [["serve", "graph", "extra"], /takes no operand, not "extra"$/],
    [["serve", "graph", "--name", "../x"], /plugin name "\.\.\/x"/],
    [["serve", "graph", "--root", "relative"], /--root takes an absolute path/],
    [["serve", "graph", "--log-level", "loud"], /--log-level takes debug, info, warn, error or silent, not "loud"$/],
    [["serve", "graph", "--durability", "very"], /--durability takes none, layer or file, not "very"$/],
    [["serve", "graph", "--socket-mode", "999"], /--socket-mode/],
    [["serve", "graph", "--socket-group", "no such group"], /there is no group/],
    [["serve", "graph", "--socket-owner", "99999999999"], /user 99999999999 is more than 4294967294/],
    [["serve", "graph", "--tcp", "nowhere"], /--tcp takes HOST:PORT/],
    [["call"], /call takes NAME METHOD \[JSON\]; NAME is missing$/],
    [["call", "p", "GraphDriver.Nonsense"], /no method "GraphDriver.Nonsense"/],
    [["call", "p", "GraphDriver.Get", "{"], /not JSON/],
    [["call", "p", "GraphDriver.Get", '{"ID":7}'], /ID: /],
    [["call", "a b", "GraphDriver.Status"], /plugin name "a b"/],
    [["call", "p", "GraphDriver.Status", "--timeout", "soon"], /--timeout takes a number/],
    [["call", "p", "GraphDriver.Status", "--timeout", "1.2.3"], /--timeout takes a number/],
    [["call", "p"], /call takes NAME METHOD \[JSON\]; METHOD is missing$/],
    [["call", "p", "GraphDriver.Status", "{}", "{}"], /and nothing more, not "\{\}"$/],
    [["ls", "--timeout", "-1"], /--timeout takes a number of seconds \(more than 0, less than 1000000;.*not "-1"$/],
    [["ls", "--timeout=-1"], /--timeout takes a number of seconds/],
    [["ls", "--timeout", "0"], /--timeout takes a number of seconds \(more than 0,/],
    [["ls", "--timeout", "2s"], /--timeout takes a number of seconds/],
    [["ls", "--timeout", "9999999"], /--timeout takes a number of seconds/],
    [["ls", "--timeout"], /--timeout takes SECONDS; nothing follows it$/],
    [["ls", "--timeout", "--json"], /--timeout takes SECONDS, and "--json" looks like an option; .*--timeout=--json$/],
    [["call", "p", "GraphDriver.Status", "--wait", "-1"], /--wait takes a number of seconds \(from 0,/],
    [["ls", "--json=yes"], /--json takes no value, and got "yes"$/],
    [["ls", "extra"], /ls takes no operand, not "extra"$/],
    [["ls", "--", "--json"], /ls takes no operand, not "--json"$/],
    [["ls", "a", "b\nc", "d", "e"], /not "a" "b\\nc" "d" …$/],
    [["ls", "x".repeat(100_000)], /not "x{79}…"$/],
    [["ls", "--jsno"], /ls has no option "--jsno"; did you mean --json\?$/],
    [["ls", "-json"], /ls has no option "-json"; did you mean --json\?$/],
    [["ls", "--sub", "x"], /ls has no option "--sub"; did you mean --subsystem\?$/],
    [["ls", "-x"], /ls has no option "-x"$/],
    [["ls", "--__proto__"], /ls has no option "--__proto__"$/],
    [["sl"], /there is no command "sl"; did you mean "ls"\?$/],
    [["insp", "x"], /there is no command "insp"; did you mean "inspect"\?$/],
    [["serv", "graph"], /there is no command "serv"; did you mean "serve graph"\?$/],
    [["serve", "grpah"], /there is no command "serve grpah"; did you mean "serve graph"\?$/],
    [["graph"], /there is no command "graph"; did you mean "serve graph"\?$/],
    [["help", "lss"], /there is no command "lss"; did you mean "ls"\?$/],
    [["LS"], /there is no command "LS"; did you mean "ls"\?$/],
    [["version"], /there is no command "version"; did you mean --version\?$/],
    [["call", "p", "GraphDriver.Stat"], /no method "GraphDriver.Stat"; did you mean GraphDriver.Status\?$/],
    [["call", "p", ""], /no method ""$/],
    [["call", "p", "GraphDriver.Get", "[]"], /expected object, received array$/],
    [["call", "p", "GraphDriver.Get", '{"ID":"x"} x'], /not JSON/],
    [["layers", "--svg", ""], /--svg takes a FILE, not ""$/],
    [["trace", "p", "--save", ""], /--save takes a FILE, not ""$/],
    [["serve", "graph", "--tcp", ""], /--tcp takes HOST:PORT, not ""$/],
    [["--hlep"], /there is no option "--hlep"; did you mean --help\?$/],
    [["--json", "ls"], /option "--json" stands before the command that it is meant for$/],
    [["--"], /option "--" stands before/],
    [[""], /there is no command ""$/],
    [["bogus\nline"], /there is no command "bogus\\nline"$/],
    [["inspect"], /inspect takes NAME; NAME is missing$/],
    [["inspect", "a", "b"], /inspect takes NAME and nothing more, not "b"$/],
    [["trace"], /trace takes NAME; NAME is missing$/],
    [["trace", "p", "--socket", "relative"], /--socket takes an absolute path/],
    [["trace", "p", "--force"], /--force goes with --save/],
    [["layers", "a", "b"], /layers takes \[HOME\] and nothing more, not "b"$/],
    [["layers", ""], /layers takes a path, not ""/],
    [["layers", "--engine-root", "relative"], /--engine-root takes an absolute path/],
    [["fsck", "--driver", "nonesuch", "/"], /driver "nonesuch" is unknown/],
    [["fsck", "--remove-orphans"], /--remove-orphans goes with --repair/],
    [["trace", "tcp://127.0.0.1:1"], /give it one with --as/],
    [["trace", "tcp://127.0.0.1:1", "--as", "a b"], /plugin name "a b"/],
  ])("%j is answered with one sentence", async (argv, message) => {
    const { code, out, err } = await cleat(argv);
    expect(code).toBe(2);
    const [sentence, hint, ...rest] = err.split("\n");
    expect(sentence).toMatch(/^cleat: /);
    expect(sentence).toMatch(message);
    expect(hint).toBe(`See "${helpOf(argv)}".`);
    expect(rest).toEqual([""]);
    expect(out).toBe("");
  });
});

describe("an output that cannot be written", () => {
  const failing = (code: string) =>
    new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error(`${code}: write`), { code, syscall: "write" })),
    });

  it("is not a failure when its reader went away early", async () => {
    expect(await cleat(["--help"], { stdout: failing("EPIPE") })).toMatchObject({ code: 0, err: "" });
  });

  it("is one when the disk is full", async () => {
    expect(await cleat(["--help"], { stdout: failing("ENOSPC") })).toMatchObject({
      code: 1,
      err: "cleat: stdout: ENOSPC: write\n",
    });
  });
});
