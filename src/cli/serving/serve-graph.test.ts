import { closeSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lockHome, prepareHome } from "../../graphdriver/kit.ts";
import { builtInFactories } from "../../selection/index.ts";
import { pemPath } from "../../transport/tls/tls.test.support.ts";
import { chosenFor, cleat, folder, serving } from "../run.test.support.ts";

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
      await cleat(["call", "p", "GraphDriver.Cleanup"]);
      await stop();
    };
    await ask(`{"Home":"${folder}/engine"}`);
    await ask(`{"Home":"${folder}/engine"}`, "--home", join(folder, "mine"));
    await ask('{"Home":""}');
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

  it("says in one sentence who is in the way, before it looks at what is another plugin's", async () => {
    const { stop } = await serving();
    await cleat(["call", "p", "GraphDriver.Init", `{"Home":"${folder}/engine"}`]);
    const before = chosenFor.length;
    expect(await cleat(["serve", "graph", "--name", "p", "--log-level", "debug"])).toEqual({
      code: 1,
      out: "",
      err: expect.stringMatching(
        /^cleat: socket "\S+\/docker\/plugins\/p\.sock": another process listens on it; stop it first, .*\n$/,
      ),
    });
    expect(chosenFor).toHaveLength(before);
    await stop();
  });

  it.each([
    ["the operator names", ["--home"]],
    ["an engine has named to an earlier process", []],
  ])("says in one sentence, before an engine calls, that another serves the home that %s", async (_who, option) => {
    const home = prepareHome(join(folder, "home"), 0);
    if (option.length === 0) {
      const earlier = await serving();
      await cleat(["call", "p", "GraphDriver.Init", `{"Home":"${home}"}`]);
      await earlier.stop();
    }
    const lock = lockHome(home);
    try {
      const options = [...option, ...option.map(() => home)];
      expect(await cleat(["serve", "graph", "--name", "p", "--log-level", "debug", ...options])).toEqual({
        code: 1,
        out: "",
        err: expect.stringMatching(/^cleat: home "\S+\/home" is being served by another driver or process; stop .*\n$/),
      });
    } finally {
      closeSync(lock);
    }
    const { stop } = await serving(...option, ...option.map(() => home));
    await stop();
  });
});

it("serve graph --help lists every option of every driver", async () => {
  const { out } = await cleat(["serve", "graph", "--help"]);
  for (const { name, options = {} } of builtInFactories) {
    for (const [key, { value, help }] of Object.entries(options)) {
      expect(out).toContain(`  ${key}=${value} `);
      expect(out).toContain(help);
    }
    if (name === "btrfs") expect(out).toContain("\n--opt of btrfs:\n  btrfs.min_space=SIZE  ");
  }
});

describe("serve graph on TCP", () => {
  const specDirectory = () => join(folder, ".config/docker/plugins");
  const onTcp = () => ["--json", "--tcp", "127.0.0.1:0", "--spec-dir", specDirectory()];
  const tls = [
    "--tls-cert",
    pemPath("server.pem"),
    "--tls-key",
    pemPath("server-key.pem"),
    "--tls-ca",
    pemPath("ca.pem"),
  ];
  const clients = ["--tls-client-ca", pemPath("ca.pem")];
  const shown = ["--tls-client-cert", pemPath("client.pem"), "--tls-client-key", pemPath("client-key.pem")];

  it.each([
    ["in plaintext", [], /^tcp:/, /TCP is not authenticated/],
    ["with TLS", tls, /^https:/, /clients show no certificate/],
    ["with TLS on both sides", [...tls, ...clients, ...shown], /^https:/, /^$/],
  ])("%s can be called by name, and warns of strangers where any may come", async (_how, options, address, warning) => {
    const { printed, stop } = await serving(...onTcp(), ...options);
    expect(JSON.parse(printed)).toMatchObject({ address: expect.stringMatching(address) });
    expect(await cleat(["call", "p", "Plugin.Activate", "--json"])).toMatchObject({
      code: 0,
      out: '{"Implements":["GraphDriver"]}\n',
    });
    const { code, err } = await stop();
    expect(code).toBe(0);
    expect(err).toMatch(warning);
    expect(err).not.toContain("PRIVATE KEY");
    expect(readdirSync(specDirectory())).toEqual([]);
  });

  it("says who listens there already, in one sentence", async () => {
    const { printed, stop } = await serving(...onTcp());
    const { address } = JSON.parse(printed) as { address: string };
    const place = address.slice("tcp://".length);
    const others = ["--tcp", place, "--spec-dir", join(folder, "other"), "--log-level", "error"];
    expect(await cleat(["serve", "graph", "--name", "q", ...others])).toEqual({
      code: 1,
      out: "",
      err: `cleat: plugin "q": another process listens on ${address}\n`,
    });
    await stop();
  });

  it("takes a self-signed certificate for its own authority", async () => {
    const own = ["--tls-cert", pemPath("self-signed.pem"), "--tls-key", pemPath("self-signed-key.pem")];
    const { stop } = await serving(...onTcp(), ...own);
    expect(await cleat(["call", "p", "Plugin.Activate"])).toMatchObject({ code: 0 });
    await stop();
  });

  it("says what engines would not trust", async () => {
    const options = [...tls.slice(0, 4), "--tls-ca", pemPath("other-ca.pem")];
    expect(await cleat(["serve", "graph", "--name", "p", ...onTcp(), ...options])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/engines cannot call plugin "p": .*not trusted/),
    });
  });

  it.each([
    [["--spec-dir", "/x"], "--spec-dir is of no use without --tcp"],
    [tls, "--tls-cert is of no use without --tcp"],
    [["--tcp", "127.0.0.1:0", ...tls.slice(0, 2)], "--tls-cert is of no use without --tls-key"],
    [["--tcp", "127.0.0.1:0", ...tls.slice(2, 4)], "--tls-key is of no use without --tls-cert"],
    [["--tcp", "127.0.0.1:0", ...tls.slice(4)], "--tls-ca is of no use without --tls-cert"],
    [["--tcp", "127.0.0.1:0", ...clients], "--tls-client-ca is of no use without --tls-cert"],
    [["--tcp", "127.0.0.1:0", ...tls, ...clients], "--tls-client-ca is of no use without --tls-client-cert"],
    [["--tcp", "127.0.0.1:0", ...tls, ...shown], "--tls-client-cert is of no use without --tls-client-ca"],
    [["--tcp", "127.0.0.1:0", "--socket", "/x"], "--tcp and --socket exclude each other"],
    [["--tcp", "127.0.0.1:0", "--socket-mode", "600"], "--tcp and --socket-mode exclude each other"],
    [["--tcp", "127.0.0.1"], '--tcp takes HOST:PORT, not "127.0.0.1"'],
    [["--tcp", "127.0.0.1:1/x"], '--tcp takes HOST:PORT, not "127.0.0.1:1/x"'],
    [["--tcp", "127.0.0.1:0", "--spec-dir", "x"], '--spec-dir takes an absolute path, not "x"'],
  ])("refuses %j", async (options, message) => {
    expect(await cleat(["serve", "graph", ...options])).toMatchObject({
      code: 2,
      err: `cleat: ${message}\nSee "cleat serve graph --help".\n`,
    });
  });
});
