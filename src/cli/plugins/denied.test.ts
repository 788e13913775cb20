/** What this user may not look at, or may not open, is told as that: it is not absent, and nobody need start it. */
import { chmod } from "node:fs/promises";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { socketOf, startPlugin } from "./plugins.test.support.ts";
import { cleat, folder } from "../run.test.support.ts";

const isRoot = process.geteuid?.() === 0;

/** The command as a user who is nobody in particular: to root nothing is forbidden. */
async function asOrdinaryUser(argv: readonly string[]) {
  if (isRoot) process.seteuid?.(65_534);
  try {
    return await cleat(argv);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

beforeEach(async () => {
  await startPlugin("p", { "/Plugin.Activate": { Implements: ["VolumeDriver"] } });
  await chmod(folder, 0o755);
});
const plugins = () => dirname(socketOf("p"));
afterEach(() => chmod(plugins(), 0o755));

const commands = ["inspect p", "call p VolumeDriver.List", "trace p"];

describe("a socket that may not be opened", () => {
  beforeEach(() => chmod(socketOf("p"), 0));

  it.each([...commands, "call PATH VolumeDriver.List"])("%s", async (line) => {
    const { code, out, err } = await asOrdinaryUser(line.replace("PATH", socketOf("p")).split(" "));
    expect(`${out}${err}`).toMatch(/may not be connected to by this user|may not open|permission denied/);
    expect(`${out}${err}`).not.toMatch(/nobody answers|not there:/);
    expect(code).toBe(line === "trace p" ? 1 : 3);
  });

  it("ls", async () => {
    const { out, err } = await asOrdinaryUser(["ls", "--json"]);
    expect(JSON.parse(out)).toContainEqual(expect.objectContaining({ name: "p", state: "denied" }));
    expect(err).toContain(`unix://${socketOf("p")} may not be connected to by this user`);
    expect(err).not.toContain("rm ");
  });
});

describe("a folder of plugins that may not be looked into", () => {
  beforeEach(() => chmod(plugins(), 0o644));

  it.each(commands)("%s", async (line) => {
    const message = `plugin "p" may be there, but "${socketOf("p")}" may not be looked at: EACCES: permission denied`;
    expect(await asOrdinaryUser(line.split(" "))).toEqual({
      code: 3,
      out: "",
      err: `cleat: ${message}\nTry it as root.\n`,
    });
  });

  it("ls", async () => {
    const { out, err } = await asOrdinaryUser(["ls", "--json"]);
    expect(JSON.parse(out)).toContainEqual(expect.objectContaining({ name: "p", state: "denied" }));
    expect(err).toContain(`"${socketOf("p")}" may not be looked at`);
  });
});

it("serve says that it may not see who listens where it is to listen", async () => {
  await chmod(socketOf("p"), 0);
  expect(await asOrdinaryUser(["serve", "graph", "--name", "p"])).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^cleat: socket "[^"]+\/p\.sock" is there, and this user may not open it.*\n$/),
  });
});
