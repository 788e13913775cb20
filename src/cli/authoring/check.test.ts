import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FaultyPlugin, Wrongs as WrongsOf } from "../../testing/faulty-plugin.test.support.ts";
import { serveFaulty } from "../../testing/right-volumes.test.support.ts";
import type { VolumeDriver } from "../../volume/index.ts";
import { cleat, folder } from "../run.test.support.ts";

type Wrongs = WrongsOf<VolumeDriver>;

async function checkFaulty(wrongs: Wrongs, ...options: string[]) {
  await using plugin = await serveFaulty(wrongs);
  return await check(plugin, ...options);
}

const check = ({ socket }: FaultyPlugin, ...options: string[]) =>
  cleat(["check", socket, "--timeout", "1", ...options]);
const refusingNull: Wrongs = {
  answer: ({ body }) => (body.includes(":null") ? [500, '{"Err":"a\\u001b#b"}'] : undefined),
};

describe("cleat check", () => {
  it("tells results as TAP, and that nothing is wrong by its exit code", async () => {
    const { code, out, err } = await checkFaulty({}, "--only", "holders/again", "--only", "plugin/many");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.split("\n").filter((line) => !line.startsWith("# plugin"))).toEqual([
      "TAP version 13",
      "1..2",
      "# makes and removes volumes named cleat-check-…",
      "ok 1 - plugin/many-callers: answers 64 callers at once, all alike",
      "ok 2 - holders/again: a volume can be mounted again after the last holder has gone",
      "# passed 2, failed 0, advice 0, known 0, skipped 0",
      "",
    ]);
  });

  it("says of what failed why, what users see, and where the check comes from", async () => {
    const { code, out } = await checkFaulty(refusingNull, "--only", "wire/null");
    expect(code).toBe(5);
    expect(out).toMatch(/^not ok 1 - wire\/null-options: .*\n {2}---\n {2}message: ".* answered 500 .*u001b#b.*"\n/m);
    expect(out).toMatch(
      /\n {2}seen_by_users: "docker run .*"\n {2}source: "recorded of .*"\n {2}duration_ms: \d+\n {2}\.\.\.\n/,
    );
  });

  it("takes neither advice nor what is known for a failure", async () => {
    const advice: Wrongs = { answer: ({ body }) => (/"(name|NAME)"/.test(body) ? [400, "{}"] : undefined) };
    const { code, out } = await checkFaulty(advice, "--only", "VolumeDriver/field-case");
    expect(code).toBe(0);
    expect(out).toMatch(/^not ok 1 - .* # TODO advice$/m);
    const known = await checkFaulty(refusingNull, "--only", "wire/null", "--known", "wire/null-options=issue #7");
    expect(known.code).toBe(0);
    expect(known.out).toMatch(/^not ok 1 - .* # TODO issue \\#7$/m);
  });

  it("writes what prove and readers of JUnit read", async (context) => {
    const junit = join(folder, "out.xml");
    const { out } = await checkFaulty(refusingNull, "--only", "wire/", "--only", "restart/", "--junit", junit);
    await writeFile(join(folder, "out.tap"), out);
    const prove = spawnSync("prove", ["-e", "cat", join(folder, "out.tap")], { encoding: "utf8" });
    const reader =
      "import sys,xml.etree.ElementTree as e;r=e.parse(sys.argv[1]).getroot();" +
      "print(r.attrib['failures'],len(r.findall('.//failure')),r.attrib['tests'],len(r.findall('.//testcase')))";
    const python = spawnSync("python3", ["-c", reader, junit], { encoding: "utf8" });
    if (prove.error !== undefined || python.error !== undefined) return context.skip("prove or python3 is not there");
    expect(prove.stdout).toMatch(/Tests: 11 Failed: 1\)/);
    expect(prove.stdout).not.toContain("Parse errors");
    expect({ out: python.stdout, err: python.stderr }).toEqual({ out: "1 1 11 11\n", err: "" });
    expect(await readFile(junit, "utf8")).toContain("Source: recorded of");
  });

  it("makes nothing with --safe", async () => {
    const touched: string[] = [];
    const answer: Wrongs["answer"] = ({ path, body }) => {
      if (path.endsWith("Create") && body.startsWith('{"Name":"')) touched.push(body);
      return undefined;
    };
    const { code, out } = await checkFaulty({ answer }, "--safe", "--only", "wire/", "--only", "life/");
    expect(code).toBe(0);
    expect(out).toContain("1..4\n");
    expect(touched).toEqual([]);
  });

  it.each([
    [["--only", "nothing/"], /there is no check "nothing\/"/],
    [["--known", "wire"], /takes NAME=VALUE/],
    [["--restart", "node 'x"], /quote that is left open/],
    [["--restart", " "], /takes a command/],
    [["--homes", "here"], /absolute path/],
  ])("refuses %j", async (options, message) => {
    const { code, err, out } = await checkFaulty({}, ...options);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(message);
  });

  it("says what a plugin implements that lacks what is asked for", async () => {
    const { code, err } = await checkFaulty({}, "--subsystem", "NetworkDriver");
    expect({ code, err }).toEqual({
      code: 1,
      err: "cleat: plugin does not implement NetworkDriver: it implements VolumeDriver\n",
    });
  });

  it("is unreachable where nobody listens, also when a command has to start it that does not", async () => {
    expect((await cleat(["check", join(folder, "no.sock")])).code).toBe(3);
    const { code, err } = await cleat(["check", join(folder, "no.sock"), "--restart", "false"]);
    expect({ code, err }).toEqual({
      code: 1,
      err: 'cleat: the plugin that "false" starts is not there: it ended with 1\n',
    });
    expect((await cleat(["check", join(folder, "no.sock"), "--restart", "/no/such"])).err).toMatch(/"\/no\/such"/);
  });
});
