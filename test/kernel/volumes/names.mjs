/**
 * A resolver that never answers costs the volumes that need it their deadline, and others
 * nothing: `node names.mjs FOLDER`.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { openManagedVolumes, volumeTypes } from "cleat/volumedrivers";

const scratch = process.argv[2];
const silent = createSocket("udp4").bind(53, "127.7.7.7");
await once(silent, "listening");
for (const [name, text] of Object.entries({
  "resolv.conf": "nameserver 127.7.7.7\noptions timeout:20 attempts:1\n",
  hosts: "127.0.0.1 localhost near\n",
  "nsswitch.conf": "hosts: files dns\n",
})) {
  await writeFile(`${scratch}/${name}`, text);
  await writeFile(`/etc/${name}`, "", { flag: "a" });
  execFileSync("mount", ["--bind", `${scratch}/${name}`, `/etc/${name}`]);
}

const timeoutMs = 3_000;
const driver = await openManagedVolumes({ name: "cleat", folder: `${scratch}/cleat`, types: volumeTypes, timeoutMs });
const shares = {
  ...Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`far${index}`, "nfs"])),
  other: "cifs",
};
for (const [name, type] of Object.entries(shares)) {
  const device = type === "nfs" ? `${name}.example.org:/share` : `//${name}.example.org/share`;
  await driver.create(name, { options: { type, device } });
}
await driver.create("near", { options: { type: "nfs", device: "near:/share", o: "nolock,soft,retrans=0,timeo=1" } });

const startedMs = performance.now();
const outcome = (name) => driver.mount(name, "c").then(assert.fail, ({ code, message }) => ({ code, message }));
const hung = Promise.all(Object.keys(shares).map(outcome));
const near = await outcome("near");
const nearMs = performance.now() - startedMs;
assert.notEqual(near.code, "DEADLINE_EXCEEDED", near.message);
assert.ok(nearMs < timeoutMs, `${nearMs} ms`);
for (const { code, message } of await hung) assert.equal(code, "DEADLINE_EXCEEDED", message);
const wholeMs = performance.now() - startedMs;
assert.ok(wholeMs < timeoutMs + 3_000, `${wholeMs} ms`);

// One that says there is none: at once, in words.
silent.on("message", (query, { port, address }) => {
  const answer = Buffer.from(query);
  answer.writeUInt16BE(0x8183, 2); // an answer: no such name
  silent.send(answer, port, address);
});
const none = await outcome("far0");
assert.equal(none.code, "UNAVAILABLE", none.message);
assert.match(none.message, /server "far0.example.org" has no address/);
await driver.close();
silent.close();
