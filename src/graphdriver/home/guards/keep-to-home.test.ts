import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { GraphDriverMethods } from "../../driver.ts";
import { guardDriver } from "./guard-driver.ts";
import { keepToHome } from "./keep-to-home.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "cleat-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/** A class, as drivers of others may be, with what only its own methods reach. */
class Noting {
  readonly name = "noting";
  readonly capabilities = { mounts: false };
  #said: string[] = [];
  async create(id: string) {
    this.#said.push(`create ${id}`);
  }
  async put(id: string) {
    this.#said.push(`put ${id}`);
  }
  async *list() {
    yield* this.#said.map((id) => ({ id, parent: undefined }));
  }
  async close() {
    this.#said.push("close");
  }
  get said() {
    return this.#said;
  }
}

it("asks a driver for nothing, but to close, once another folder stands at its home", async () => {
  const home = join(folder, "home");
  mkdirSync(home);
  const noting = new Noting();
  const driver = guardDriver(keepToHome(noting as unknown as GraphDriverMethods, home));
  expect([driver.name, driver.capabilities.mounts, driver.rebase]).toEqual(["noting", false, undefined]);
  await driver.create("a", {});
  renameSync(home, join(folder, "moved"));
  const refused = {
    code: "FAILED_PRECONDITION",
    message: expect.stringContaining(`${home}" is not the folder any more`),
  };
  for (const step of ["none", "another"]) {
    if (step === "another") mkdirSync(home);
    await expect(driver.create("b", {}), step).rejects.toMatchObject(refused);
    await expect(driver.put("a"), step).rejects.toMatchObject(refused);
    await expect(driver.list?.()[Symbol.asyncIterator]().next(), step).rejects.toMatchObject(refused);
  }
  rmSync(home, { recursive: true });
  renameSync(join(folder, "moved"), home);
  await driver.put("a");
  await driver.close();
  expect(noting.said).toEqual(["create a", "put a", "close"]);
});
