import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CleatError } from "../../errors/index.ts";
import { createAttachments } from "./attachments.ts";
import type { CsiFacts, CsiPeer } from "./peer.ts";
import { readRecord, writeRecord } from "./provisioned.ts";

const { signal } = new AbortController();
const record = { askedName: "data-1", provisioned: { volumeId: "1", context: {} } };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cleat-csi-attachments-"));
  await writeRecord(folder, record);
});
afterEach(() => rm(folder, { recursive: true }));

function open(refusal?: CleatError) {
  const asked: string[] = [];
  const answer = (what: string) => async (request: object) => {
    const { node_id, volume_id } = request as Record<string, string>;
    asked.push(`${what} ${volume_id} ${node_id}, recorded ${(await readRecord(folder))?.attachedTo}`);
    if (refusal !== undefined && what === "detach") throw refusal;
    return { publish_context: { device: "/dev/x" } };
  };
  const controller = { controllerPublishVolume: answer("attach"), controllerUnpublishVolume: answer("detach") };
  const attachments = createAttachments({ controller } as unknown as Pick<CsiPeer, "controller">, {});
  const on = (node_id: string, ability = "PUBLISH_UNPUBLISH_VOLUME") =>
    ({ controller: new Set([ability]), info: { node_id } }) as unknown as CsiFacts;
  return { asked, attachments, on };
}

it("a volume is detached from the node that it was attached to, whatever the plugin calls it by then", async () => {
  const { asked, attachments, on } = open();
  const context = await attachments.attach(folder, { volume_id: "1" }, on("old"), signal);
  expect(context).toEqual({ device: "/dev/x" });
  await attachments.detach(folder, "1", on("new"), signal);
  expect(asked).toEqual(["attach 1 old, recorded old", "detach 1 old, recorded old"]);
});

it("a volume that was attached under another name is detached before it is attached again", async () => {
  const { asked, attachments, on } = open();
  for (const name of ["old", "old", "new"]) await attachments.attach(folder, { volume_id: "1" }, on(name), signal);
  await attachments.detach(folder, "1", on("new"), signal);
  await attachments.attach(folder, { volume_id: "1" }, on("newer"), signal);
  expect(asked.slice(2)).toEqual([
    "detach 1 old, recorded old",
    "attach 1 new, recorded new",
    "detach 1 new, recorded new",
    "detach 1 new, recorded new",
    "attach 1 newer, recorded newer",
  ]);
});

it("a node that is gone keeps no volume from being attached, and one that does not answer does", async () => {
  for (const [code, outcome] of [
    ["NOT_FOUND", { device: "/dev/x" }],
    ["UNAVAILABLE", "UNAVAILABLE"],
  ] as const) {
    await writeRecord(folder, { ...record, attachedTo: "old" });
    const { attachments, on } = open(new CleatError(code, "no"));
    const attaching = attachments.attach(folder, { volume_id: "1" }, on("new"), signal);
    expect(await attaching.catch((error: CleatError) => error.code)).toEqual(outcome);
    expect((await readRecord(folder))?.attachedTo).toBe(code === "NOT_FOUND" ? "new" : "old");
  }
});

it("a node that is gone keeps no volume from being given back, unless it is this one", async () => {
  await writeRecord(folder, { ...record, attachedTo: "old" });
  const { attachments, on } = open(new CleatError("NOT_FOUND", "no"));
  await attachments.detach(folder, "1", on("new"), signal);
  await expect(attachments.detach(folder, "1", on("old"), signal)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

it("what was attached before nodes were recorded is detached from this one", async () => {
  const { asked, attachments, on } = open();
  await attachments.detach(folder, "1", on("here"), signal);
  expect(await attachments.attach(folder, { volume_id: "1" }, on("here", "NONE"), signal)).toEqual({});
  await attachments.detach(folder, "1", on("here", "NONE"), signal);
  expect(asked).toEqual(["detach 1 here, recorded undefined"]);
});
