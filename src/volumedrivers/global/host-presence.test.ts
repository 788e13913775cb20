import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type HostPlace, notePath, readPlace } from "./host-note.ts";
import { createHostPresence, readHost } from "./host-presence.ts";
import { createMemoryEtcd, type MemoryEtcd } from "./memory-etcd.test.support.ts";
import { createSharedRecords } from "./shared-records.ts";

let scratch: string;
let etcd: MemoryEtcd;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "cleat-host-"));
  etcd = createMemoryEtcd();
});
afterEach(() => rm(scratch, { recursive: true }));

/** A process that starts with a folder; what it is given of its place is what differs from where it is. */
async function startProcess(folder: string, place?: Partial<HostPlace>) {
  const host = await readHost(folder, "a");
  const presence = createHostPresence(etcd, "/p", folder, host, async () => ({
    ...(await readPlace(folder)),
    ...place,
  }));
  return { host, presence, records: createSharedRecords(etcd, "/p", host) };
}

const other = { code: "FAILED_PRECONDITION", message: expect.stringMatching(/^another process is host "a"/) };
const copy = { code: "FAILED_PRECONDITION", message: expect.stringMatching(/ is a copy of another /) };

it("is told apart from a damaged one where a later release has written it, and left alone", async () => {
  for (const [text, code] of [
    ['{"version":2}', "FAILED_PRECONDITION"],
    ['{"version":1}', "DATA_LOSS"],
    ["", "DATA_LOSS"],
  ] as const) {
    const folder = join(scratch, code + text.length);
    await mkdir(folder);
    await writeFile(notePath(folder), text);
    await expect(readHost(folder, "a")).rejects.toMatchObject({ code });
    expect(await readFile(notePath(folder), "utf8")).toBe(text);
  }
});

it("is the host's again in the process after one that was killed", async () => {
  const first = await startProcess(join(scratch, "a"));
  await first.presence.keep();
  const second = await startProcess(join(scratch, "a"));
  await second.presence.keep();
  await second.presence.keep();
  expect(etcd.keys("/p/hosts/")).toEqual([`/p/hosts/${first.host.id}`]);
  await expect(first.presence.keep()).rejects.toMatchObject(other); // it was not dead
  expect(() => first.presence.assertNoOther()).toThrow(/^another process is host "a"/);
  await second.presence.keep();
});

it("is refused to a plain copy of the folder, on this machine and on others", async () => {
  const first = await startProcess(join(scratch, "a"));
  await first.presence.keep();
  await cp(join(scratch, "a"), join(scratch, "copy"), { recursive: true });
  await expect((await startProcess(join(scratch, "copy"))).presence.keep()).rejects.toMatchObject(copy);
  const far = await startProcess(join(scratch, "a"), { machine: "another" });
  await expect(far.presence.keep()).rejects.toMatchObject(copy);
  expect(() => far.presence.assertNoOther()).toThrow(/another machine's/);
  const [lease = ""] = [...etcd.entries.values()].map((entry) => entry.lease);
  etcd.expire(lease); // neither when the first is not heard from
  await expect((await startProcess(join(scratch, "copy"))).presence.keep()).rejects.toMatchObject(copy);
  await expect(far.presence.keep()).rejects.toMatchObject(copy);
});

it("is refused to a clone of the machine while the first is heard from, whichever asks", async () => {
  const first = await startProcess(join(scratch, "a"));
  await first.presence.keep();
  const clone = await startProcess(join(scratch, "a"), { boot: "another" });
  await expect(clone.presence.keep()).rejects.toMatchObject(other);
  await clone.presence.leave();
  await first.presence.keep();
  const [lease = ""] = [...etcd.entries.values()].map((entry) => entry.lease);
  etcd.expire(lease);
  await clone.presence.keep();
});

it("lets a process change uses only while the host's key is its own", async () => {
  const first = await startProcess(join(scratch, "a"));
  await first.records.create("data", { options: {}, access: "single" });
  const claim = await first.presence.keep();
  await first.records.use("data", claim);
  const second = await startProcess(join(scratch, "a"));
  await second.presence.keep();
  for (const late of [() => first.records.use("data", claim), () => first.records.giveBack("data", claim)]) {
    await expect(late()).rejects.toMatchObject({ code: "ABORTED" });
  }
  expect(etcd.keys("/p/uses/")).toHaveLength(1);
});

it("deletes no newer use by a late give-back", async () => {
  const { records, presence } = await startProcess(join(scratch, "a"));
  await records.create("data", { options: {}, access: "single" });
  const claim = await presence.keep();
  await records.use("data", claim);
  let isLate = false;
  etcd.before = async (request) => {
    if (request !== "change" || isLate) return;
    isLate = true; // it is on its way
    await records.use("data", claim);
  };
  await expect(records.giveBack("data", claim)).rejects.toMatchObject({ code: "ABORTED" });
  expect(etcd.keys("/p/uses/")).toHaveLength(1);
  await records.giveBack("data", claim);
  await records.giveBack("data", claim); // it has gone already
  expect(etcd.keys("/p/uses/")).toEqual([]);
});
