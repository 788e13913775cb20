import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { EngineReport } from "../containerd/diagnosis/engine-findings.ts";
import { CleatError } from "../../errors/index.ts";
import type { Diagnosis, StorePlace } from "../../selection/index.ts";
import { usual, usualEngines } from "./diagnosis.test.support.ts";
import { cleat, folder } from "../run.test.support.ts";

/** What the process that examines would say, and what it was asked. */
const { answer } = vi.hoisted(() => ({
  answer: { say: (): Diagnosis | undefined => undefined, asked: [] as [StorePlace, number][] },
}));

vi.mock("./examine.ts", () => ({
  examine: async (...asked: [StorePlace, number]) => {
    answer.asked.push(asked);
    return answer.say();
  },
}));

vi.mock("../containerd/diagnosis/examine-engines.ts", () => ({ examineEngines: async () => engines.found }));
const { engines } = vi.hoisted(() => ({ engines: { found: [] as readonly EngineReport[] } }));
beforeEach(() => {
  engines.found = [];
});

async function doctor(diagnosis: Diagnosis, ...options: string[]) {
  answer.say = () => diagnosis;
  answer.asked.length = 0;
  return cleat(["doctor", ...options]);
}

describe("doctor", () => {
  it("prints what the page on Docker shows", async () => {
    engines.found = usualEngines;
    const { code, out, err } = await doctor(usual);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const page = readFileSync(new URL("../../../docs/docker.md", import.meta.url), "utf8");
    expect(page).toContain(`# npx cleat doctor\n${out}`);
  });

  it("prints the same as one line of JSON", async () => {
    const { code, out } = await doctor(usual, "--json");
    expect(code).toBe(0);
    expect(out.indexOf("\n")).toBe(out.length - 1);
    expect(JSON.parse(out)).toEqual({ ...usual, engines: [] });
  });

  it.each([
    [[], () => ({ home: `${folder}/.local/share/cleat` })],
    [["--home", "/a"], () => ({ home: "/a" })],
    [["--root", "/b"], () => ({ root: "/b" })],
  ])("asks with %j about the place that serve graph would take", async (options, place) => {
    await doctor(usual, ...options, "--timeout", "2.5");
    expect(answer.asked).toEqual([[place(), 2_500]]);
  });

  it("fails, and says why, where no driver can be chosen", async () => {
    const message = '"/x" holds layers of zfs, a driver that is not built in';
    const refusal = { code: "FAILED_PRECONDITION", message } as const;
    const { code, out, err } = await doctor({ ...usual, prior: ["zfs"], chosen: null, refusal });
    expect(code).toBe(1);
    expect(out).toContain("holds             layers of zfs\n");
    expect(out).toContain("\nNo driver can be chosen.\n");
    expect(err).toBe(`cleat: ${message}\n`);
  });

  it("ends with 5, and says what to do, where an engine is configured wrongly", async () => {
    const finding = { subject: "socket", state: "wrong", text: "nobody answers" } as const;
    engines.found = [{ engine: "containerd", what: "2.1.9", findings: [finding] }];
    const { code, out, err } = await doctor(usual);
    expect({ code, err }).toEqual({ code: 5, err: "" });
    expect(out).toContain(
      "\ncontainerd\n  found             2.1.9\n  socket            wrong: nobody answers\n\nThe driver is",
    );
  });

  it("does not let a path command the terminal", async () => {
    const { out } = await doctor({ ...usual, place: "/a\u001b[2J", folder: "/a\u001b[2J" });
    expect(out).toContain(String.raw`looked at         /a\x1b[2J`);
  });

  it("tells of an ordinary user in a user namespace, without FUSE", async () => {
    const { out } = await doctor({
      ...usual,
      privileges: {
        uid: 0,
        mayMount: false,
        initialUserNamespace: false,
        uidMap: ["0 1000 1", "1 100000 65536"],
        gidMap: ["0 1000 1"],
      },
      fuse: { device: { path: "/dev/fuse", usable: false, note: "EACCES" }, program: null },
    });
    expect(out).toContain("user              0, who may not mount (CAP_SYS_ADMIN)\n");
    expect(out).toContain("user namespace    one with users 0 1000 1, 1 100000 65536; groups 0 1000 1\n");
    expect(out).toContain("FUSE              /dev/fuse cannot be used (EACCES); no fuse-overlayfs in PATH\n");
  });

  it("passes on that the examination took too long", async () => {
    answer.say = () => {
      throw new CleatError("DEADLINE_EXCEEDED", "examination is not done within 10 ms");
    };
    expect(await cleat(["doctor"])).toMatchObject({ code: 1, err: "cleat: examination is not done within 10 ms\n" });
  });

  it.each([
    [["x"], 'doctor takes no operand, not "x"'],
    [["--home", "/a", "--root", "/b"], "--home and --root exclude each other"],
    [["--home", "a"], '--home takes an absolute path, not "a"'],
    [
      ["--timeout", "soon"],
      '--timeout takes a number of seconds (more than 0, less than 1000000; 0.5 is half a second), not "soon"',
    ],
  ])("refuses %j", async (options, message) => {
    expect(await doctor(usual, ...options)).toMatchObject({
      code: 2,
      err: `cleat: ${message}\nSee "cleat doctor --help".\n`,
    });
  });
});
