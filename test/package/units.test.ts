import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const main = join(import.meta.dirname, "../../dist/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "cleat-units-"));
afterAll(() => rmSync(folder, { recursive: true }));

const cleat = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });

test("units are written once, hold what they print, and systemd finds nothing wrong with them", (context) => {
  const written = ["cleat-mine.service", "cleat-mine.socket"].map((name) => join(folder, name));
  const { status, stdout } = cleat("units", "--name", "mine", "--driver", "vfs", "--write", folder);
  expect({ status, stdout }).toEqual({ status: 0, stdout: `${written.join("\n")}\n` });
  expect(readdirSync(folder).toSorted()).toEqual(["cleat-mine.service", "cleat-mine.socket"]);
  const printed = cleat("units", "--name", "mine", "--driver", "vfs").stdout;
  for (const path of written) expect(printed).toContain(readFileSync(path, "utf8"));
  expect(printed).toContain(`ExecStart=${process.execPath} ${main} serve graph --systemd --name mine --driver vfs\n`);

  const again = cleat("units", "--name", "mine", "--write", folder);
  expect(again).toMatchObject({ status: 1, stderr: expect.stringMatching(/cleat-mine\.service" is there/) });

  const verified = spawnSync("systemd-analyze", ["verify", ...written], { encoding: "utf8" });
  if (verified.error !== undefined) return context.skip("systemd-analyze is not there (apt-get install systemd)");
  expect({ status: verified.status, stderr: verified.stderr }).toEqual({ status: 0, stderr: "" });
});

test("where one of the units is there already, the other is not written", () => {
  writeFileSync(join(folder, "cleat-half.socket"), "theirs");
  expect(cleat("units", "--name", "half", "--write", folder)).toMatchObject({ status: 1, stdout: "" });
  expect(readdirSync(folder).filter((name) => name.includes("half"))).toEqual(["cleat-half.socket"]);
});

test("a folder that is not there is named once, and not made", () => {
  const none = join(folder, "none");
  const stderr = `cleat: folder "${none}" is not there; make it first\n`;
  expect(cleat("units", "--write", none)).toMatchObject({ status: 1, stdout: "", stderr });
});

test("those of a snapshotter serve one on the socket that systemd holds", (context) => {
  const written = ["cleat-snapshotter.service", "cleat-snapshotter.socket"].map((name) => join(folder, name));
  expect(cleat("units", "--snapshotter", "--write", folder)).toMatchObject({ status: 0 });
  const service = readFileSync(written[0] as string, "utf8");
  expect(service).toContain(`ExecStart=${process.execPath} ${main} serve snapshotter --systemd\n`);
  const verified = spawnSync("systemd-analyze", ["verify", ...written], { encoding: "utf8" });
  if (verified.error !== undefined) return context.skip("systemd-analyze is not there (apt-get install systemd)");
  expect({ status: verified.status, stderr: verified.stderr }).toEqual({ status: 0, stderr: "" });
});

test("those of volumes serve them where Docker looks, and Podman is told where that is", (context) => {
  const written = ["cleat-volumes.service", "cleat-volumes.socket"].map((name) => join(folder, name));
  expect(cleat("units", "--volumes", "--write", folder)).toMatchObject({ status: 0 });
  const service = readFileSync(written[0] as string, "utf8");
  expect(service).toContain(`ExecStart=${process.execPath} ${main} serve volume --systemd --name cleat\n`);
  expect(readFileSync(written[1] as string, "utf8")).toContain("ListenStream=/run/docker/plugins/cleat.sock\n");
  const podman = '[engine.volume_plugins]\n"cleat" = "/run/docker/plugins/cleat.sock"\n';
  expect(cleat("config", "podman")).toMatchObject({ status: 0, stdout: podman });
  const verified = spawnSync("systemd-analyze", ["verify", ...written], { encoding: "utf8" });
  if (verified.error !== undefined) return context.skip("systemd-analyze is not there (apt-get install systemd)");
  expect({ status: verified.status, stderr: verified.stderr }).toEqual({ status: 0, stderr: "" });
});

test("what is not a name of a plugin is not a unit's either", () => {
  expect(cleat("units", "--name", "../x")).toMatchObject({ status: 2, stdout: "" });
  expect(cleat("units", "--snapshotter", "--name", "x")).toMatchObject({ status: 2, stdout: "" });
  expect(cleat("units", "--volumes", "--driver", "vfs")).toMatchObject({ status: 2, stdout: "" });
  expect(cleat("units", "--write", "here")).toMatchObject({ status: 2, stdout: "" });
});
