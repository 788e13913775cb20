import { mkdirSync, readdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GraphDriverMethods } from "../../driver.ts";
import type { OpenOptions } from "../../driver-factory.ts";
import { assertUse, driverRecordFile, recordUse } from "./driver-record.ts";
import { prepareHome } from "../folders/home.ts";
import { openHome } from "../open-home.ts";

let home: string;
beforeEach(() => {
  home = prepareHome(mkdtempSync(join(tmpdir(), "cleat-")), 0);
});
afterEach(() => rmSync(home, { recursive: true }));

const recorded = () => JSON.parse(readFileSync(join(home, driverRecordFile), "utf8")) as unknown;
const door = "snapshotter";

describe("the door of a home", () => {
  it("is recorded once, and is part of what is asked", () => {
    recordUse(home, { driver: "vfs", door });
    expect(recorded()).toEqual({ version: 1, driver: "vfs", door });
    recordUse(home, { driver: "vfs" });
    expect(recorded()).toEqual({ version: 1, driver: "vfs", door });
    expect(() => assertUse(home, { driver: "vfs", door })).not.toThrow();
    expect(() => assertUse(home, { driver: "vfs" })).toThrow(
      `home "${home}" holds a snapshotter's layers: serve it as one, or give vfs as a graph driver a home of its own`,
    );
  });

  it("is Docker's where the record says nothing", () => {
    recordUse(home, { driver: "vfs" });
    expect(recorded()).toEqual({ version: 1, driver: "vfs" });
    expect(() => assertUse(home, { driver: "vfs", door })).toThrow(
      `home "${home}" holds layers of vfs as a graph driver: give the snapshotter a root of its own`,
    );
  });

  it("is not guessed at when it is one of tomorrow's", () => {
    writeFileSync(join(home, driverRecordFile), '{"version":1,"driver":"vfs","door":"cat flap"}');
    expect(() => assertUse(home, { driver: "vfs" })).toThrow("door");
    expect(() => assertUse(home, { driver: "vfs", door })).toThrow("door");
  });

  it("is not a snapshotter's where somebody keeps things without a record", () => {
    const snapshotter = () => assertUse(home, { driver: "overlay2", door });
    for (const folder of ["l", "lost+found/x"]) mkdirSync(join(home, folder), { recursive: true });
    expect(snapshotter).not.toThrow();
    expect(() => assertUse(join(home, "not", "there"), { driver: "overlay2", door })).not.toThrow();
    mkdirSync(join(home, "abc/diff"), { recursive: true });
    expect(snapshotter).toThrow(
      `home "${home}" holds "abc", which no snapshotter of Cleat's made: give the snapshotter a root of its own`,
    );
    expect(() => assertUse(home, { driver: "overlay2" })).not.toThrow();
    rmSync(join(home, "abc"), { recursive: true });
    writeFileSync(join(home, "metadata.db"), "");
    expect(snapshotter).toThrow('holds "metadata.db"');
  });
});

describe("openHome", () => {
  const open = (options: Partial<OpenOptions>) =>
    openHome(
      { driver: "vfs" },
      { home, ...options },
      async ({ close }) => ({ name: "vfs", close }) as Partial<GraphDriverMethods> as GraphDriverMethods,
    );

  it("keeps a home to the door by which it was opened first", async () => {
    await (await open({ door })).close();
    await expect(open({})).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    await (await open({ door })).close();
    expect(recorded()).toEqual({ version: 1, driver: "vfs", door });
  });

  it("leaves one that it refuses as it was", async () => {
    const foreign = join(home, "foreign");
    mkdirSync(foreign);
    writeFileSync(join(foreign, "metadata.db"), "");
    await expect(open({ home: foreign, door })).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(readdirSync(foreign)).toEqual(["metadata.db"]);
  });
});
