import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLogger } from "../../../transport/index.ts";
import type { CommandContext } from "../../terminal/command.ts";
import { openManaged } from "./volume-door.ts";

let root: string;
beforeEach(async () => (root = await mkdtemp(join(tmpdir(), "cleat-door-"))));
afterEach(() => rm(root, { recursive: true }));

const options = { type: "rclone", device: "there:data", config: "/etc/rclone/conf" };

it.each<[readonly string[] | undefined, boolean]>([
  [undefined, false],
  [["/etc/other"], false],
  [["/etc/other", "/etc/rclone"], true],
])("with --rclone-folder %j a configuration below /etc/rclone is taken: %s", async (folders, isTaken) => {
  const { managed } = await openManaged({ root, "rclone-folder": folders }, {} as CommandContext, silentLogger);
  const made = managed.create("data", { options });
  await (isTaken ? made : expect(made).rejects.toThrow('option "config"'));
  expect((await managed.list()).length).toBe(isTaken ? 1 : 0);
  await managed.close();
});

it.each(["etcd-ca", "etcd-cert", "etcd-key"] as const)(
  "names the option whose file is not there: --%s",
  async (name) => {
    const values = { root, scope: "global", etcd: "https://127.0.0.1:1", [name]: join(root, "no.pem") };
    const opening = openManaged(values, {} as CommandContext, silentLogger);
    await expect(opening).rejects.toThrow(`--${name}: "${root}/no.pem" is not there`);
  },
);
