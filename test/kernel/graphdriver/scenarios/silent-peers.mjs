/** Peers of a plugin's socket who send nothing, next to nothing, or do not read: nobody else waits for them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { request } from "node:http";

import { createGraphDriverPlugin } from "cleat/graphdriver";
import { serve } from "cleat/plugin";
import { buildArchive, file } from "./archives-and-trees.mjs";

import { factories } from "./layers.mjs";

const content = Buffer.alloc(3 * 2 ** 20, "content");
const archive = buildArchive([file("large", content)]);
const peers = 30;

export async function silentPeers(driver, folder) {
  const home = `${folder}/home`;
  const socketPath = `${folder}/socket`;
  const graphDriver = createGraphDriverPlugin({ open: factories[driver].open, defaultHome: home });
  const plugin = await serve({ drivers: [graphDriver], listen: { unix: socketPath } });
  const call = (method, body) => post(socketPath, `GraphDriver.${method}`, JSON.stringify(body));
  const apply = (id) => post(socketPath, `GraphDriver.ApplyDiff?id=${id}&parent=`, archive);
  try {
    await call("Init", { Home: home, Opts: null });
    await call("Create", { ID: "base", Parent: "" });
    await apply("base");

    const uploads = [];
    for (let at = 0; at < peers; at++) {
      await call("Create", { ID: `slow-${at}`, Parent: "" });
      uploads.push(await startUpload(socketPath, `slow-${at}`, [0, 1000, 2 * 2 ** 20][at % 3]));
    }
    const readers = [];
    for (let at = 0; at < peers; at++) readers.push(await startDownload(socketPath, "base"));

    for (let at = 0; at < 3; at++) {
      await call("Create", { ID: `other-${at}`, Parent: "" });
      await apply(`other-${at}`);
      const diff = await call("Diff", { ID: `other-${at}`, Parent: "" });
      assert.ok(diff.includes(content));
    }

    for (const { finish } of uploads) assert.match(await finish(), /^HTTP\/1\.1 200 [^]*"Size":3145728/);
    for (const { finish } of readers) assert.ok((await finish()).includes(content));

    const silent = async (id) => {
      await call("Create", { ID: id, Parent: "" });
      return startUpload(socketPath, id, 1000);
    };
    const removed = await silent("removed");
    await call("Remove", { ID: "removed" });
    const broken = [await silent("left-by-init")];
    await call("Init", { Home: home, Opts: null });
    broken.push(await silent("left-by-cleanup"));
    const unread = await startDownload(socketPath, "base");
    await call("Cleanup", {});
    for (const { finish } of [removed, ...broken]) assert.match(await finish(), /^HTTP\/1\.1 500 [^]*"ABORTED"/);
    await unread.finish();
    assert.deepEqual(readdirSync(`${home}/.cleat/staging`), []);
  } finally {
    await plugin.close();
  }
}

async function post(socketPath, path, body) {
  const outgoing = request({ socketPath, path: `/${path}`, method: "POST", agent: false });
  outgoing.end(body);
  const [answer] = await once(outgoing, "response");
  assert.equal(answer.statusCode, 200, answer.statusCode === 200 ? undefined : await text(answer));
  return buffer(answer);
}

/** Sends the first bytes of an upload; `finish` the rest, and gives back the answer. */
async function startUpload(socketPath, id, sizeBytes) {
  const socket = connect(socketPath);
  socket.write(`POST /GraphDriver.ApplyDiff?id=${id}&parent= HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`);
  socket.write(`Content-Length: ${archive.length}\r\n\r\n`);
  await new Promise((resolve) => socket.write(archive.subarray(0, sizeBytes), resolve));
  return {
    async finish() {
      socket.write(archive.subarray(sizeBytes));
      return text(socket);
    },
  };
}

/** Asks for a diff, and reads nothing until `finish` reads it all. */
async function startDownload(socketPath, id) {
  const body = JSON.stringify({ ID: id, Parent: "" });
  const socket = connect(socketPath);
  socket.pause();
  const headers = ["Host: x", "Connection: close", `Content-Length: ${body.length}`];
  const head = ["POST /GraphDriver.Diff HTTP/1.1", ...headers, "", ""].join("\r\n");
  await new Promise((resolve) => socket.write(head + body, resolve));
  return { finish: () => unchunked(socket) };
}

async function unchunked(socket) {
  const bytes = await buffer(socket);
  const pieces = [];
  let at = bytes.indexOf("\r\n\r\n") + 4;
  for (;;) {
    const end = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.subarray(at, end).toString(), 16);
    if (!(size > 0)) return Buffer.concat(pieces);
    pieces.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
