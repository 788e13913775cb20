import { once } from "node:events";
import { link, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { listenAs, socketOf, specOf, startPlugin, startTlsPlugin } from "./plugins.test.support.ts";
import { cleat, folder } from "../run.test.support.ts";
import { timed } from "../../../test/patience.ts";

const manifest = (...names: string[]) => ({ "/Plugin.Activate": { Implements: names } });

/** A socket that somebody bound and left. */
async function leaveDeadSocket(name: string): Promise<void> {
  const server = createServer();
  await mkdir(dirname(socketOf(name)), { recursive: true });
  await once(server.listen(socketOf("bound")), "listening");
  await link(socketOf("bound"), socketOf(name));
  server.close();
  await once(server, "close");
}

async function writeSpec(file: string, content: string): Promise<void> {
  await mkdir(dirname(specOf(file)), { recursive: true });
  await writeFile(specOf(file), content);
}

/** Of this test's folder; the machine may have plugins of its own. */
async function listed(...options: string[]) {
  const { code, out, err } = await cleat(["ls", "--json", ...options]);
  expect(code).toBe(0);
  const rows = JSON.parse(out) as { name: string; path: string; state: string; reason: string; latencyMs: number }[];
  return { rows: rows.filter(({ path }) => path.startsWith(folder)), err };
}

it("tells each state apart, within its deadline, whatever one of them does", timed, async () => {
  await startPlugin("well", manifest("VolumeDriver", "GraphDriver"));
  await startPlugin("failing", { "/Plugin.Activate": { Err: "not today" } });
  await listenAs(
    "silent",
    createServer((socket) => void socket.on("error", () => {})),
  );
  await listenAs(
    "rude",
    createServer((socket) => void socket.once("data", () => socket.end("220 SMTP ready\r\n"))),
  );
  await listenAs(
    "hanging-up",
    createServer((socket) => void socket.once("data", () => socket.destroy())),
  );
  await leaveDeadSocket("dead");
  await writeSpec("half.spec", "tcp://");
  await writeSpec("nobody.spec", `unix://${folder}/gone.sock`);
  await writeSpec("clear.json", JSON.stringify({ Addr: `unix://${folder}/gone.sock`, TLSConfig: { CAFile: "/ca" } }));

  const startedMs = performance.now();
  const { rows, err } = await listed("--timeout", "0.4");
  expect(performance.now() - startedMs).toBeLessThan(3_000);
  expect(rows.map(({ name, state }) => `${name} ${state}`)).toEqual([
    "clear broken",
    "dead dead",
    "failing broken",
    "half broken",
    "hanging-up broken",
    "nobody dead",
    "rude broken",
    "silent silent",
    "well ok",
  ]);
  expect(rows.at(-1)).toEqual({
    name: "well",
    path: socketOf("well"),
    address: `unix://${socketOf("well")}`,
    subsystems: ["VolumeDriver", "GraphDriver"],
    state: "ok",
    latencyMs: expect.any(Number),
    reason: null,
  });
  expect(err).toContain(`"dead" is dead: `);
  expect(err).toContain(`if it will not come back: rm ${socketOf("dead")}\n`);
  expect(err).toContain(`if it will not come back: rm ${specOf("nobody.spec")}\n`);
  expect(err).toContain("not today");
  expect(err).toContain("half.spec");
});

it("calls a certificate that does not fit denied", async () => {
  await startTlsPlugin("trusted", manifest("VolumeDriver"));
  await startTlsPlugin("stranger", manifest("VolumeDriver"), "other-ca.pem");
  const { rows } = await listed();
  expect(rows).toMatchObject([
    {
      name: "stranger",
      state: "denied",
      reason: expect.stringMatching(/https:\/\/127\.0\.0\.1:\d+ has a certificate/),
    },
    { name: "trusted", state: "ok" },
  ]);
});

it("prints a table, whose cells stand below their headings", async () => {
  await startPlugin("well", manifest("VolumeDriver"));
  const { code, out } = await cleat(["ls"]);
  expect(code).toBe(0);
  const [heading = "", ...rows] = out.split("\n");
  const row = rows.find((line) => line.startsWith("well ")) ?? "";
  expect(heading).toMatch(/^NAME +ADDRESS +SUBSYSTEMS +STATE +LATENCY$/);
  expect(row.slice(heading.indexOf("SUBSYSTEMS"))).toMatch(/^VolumeDriver  ok +\d+\.\d ms$/);
  expect(row).toContain(`unix://${socketOf("well")}`);
});

it("lists those that implement a subsystem, and still tells of those nobody knows of", async () => {
  await startPlugin("volumes", manifest("VolumeDriver"));
  await startPlugin("layers", manifest("GraphDriver"));
  await leaveDeadSocket("dead");
  const { rows, err } = await listed("--subsystem", "GraphDriver");
  expect(rows.map(({ name }) => name)).toEqual(["layers"]);
  expect(err).toContain('"dead" is dead');
  expect((await listed("--subsystem", "NoSuchThing")).err).toContain('no plugin is known to implement "NoSuchThing"');
});

it("does not let a manifest write to the terminal", async () => {
  await startPlugin("evil", manifest("\u001B[2J\u001B]0;owned\u0007\nroot ok", "\u202Ex".repeat(5_000)));
  await startPlugin("worse", { "/Plugin.Activate": { Err: "\u001B[31m\u009B1mred" } });
  for (const options of [[], ["--json"]]) {
    const { out, err } = await cleat(["ls", ...options]);
    expect(`${out}${err}`.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    if (options.length === 0) expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThan(400);
  }
});
