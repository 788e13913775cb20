/** What moby's own client (v20.10.24 `pkg/plugins/client.go`), run here, does with a call that fails; and Cleat's. */
import { EventEmitter, once } from "node:events";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { graphDriverProtocol, volumeDriverProtocol } from "../../../src/protocol/index.ts";
import { silentLogger } from "../../../src/transport/index.ts";
import { describeWith, needs } from "../../needs.ts";
import { answeringAs, implementing, type Peer, type PeerAnswer } from "./peer.ts";
import { useOriginal } from "./program.ts";
import { openTwoHosts } from "./two-hosts.ts";

const mebibyte = 1024 * 1024;

describeWith([needs.go, needs.mobySource], "a host and calls that fail", () => {
  const program = useOriginal();

  test("U1: a call that reached its plugin is sent again without its body; here it is not sent again", async () => {
    await using hosts = await openTwoHosts({ program: program() });
    const { original, registry } = hosts;
    const peer = await hosts.startPlugin("p", breakingOff("VolumeDriver", "/VolumeDriver.Mount"));
    const mount = { Name: "data", ID: "c1" };
    const { error } = await original.call("p", "VolumeDriver", "VolumeDriver.Mount", mount);
    expect(error).toBeUndefined();
    const [first, second] = bodiesOf(peer, "/VolumeDriver.Mount");
    expect(JSON.parse(first!)).toEqual(mount);
    expect(second).toBe("");

    const { client } = await registry.get("p", volumeDriverProtocol);
    await expect(client.mount(mount)).rejects.toMatchObject({ code: "UNAVAILABLE", reachedPeer: true });
    expect(bodiesOf(peer, "/VolumeDriver.Mount").slice(2)).toEqual([JSON.stringify(mount)]);
  });

  test("U1: a layer that broke off counts as applied when its second, empty try is; here that is told", async () => {
    await using hosts = await openTwoHosts({ program: program() });
    const { original, registry } = hosts;
    const peer = await hosts.startPlugin("g", breakingOff("GraphDriver", "/GraphDriver.ApplyDiff"));
    const { error, value } = await original.applyDiff("g", "layer", "below", "an archive");
    expect({ error, value }).toEqual({ error: undefined, value: 0 }); // the size of what was applied, in bytes
    expect(bodiesOf(peer, "/GraphDriver.ApplyDiff")).toEqual(["an archive", ""]);

    const { client } = await registry.get("g", graphDriverProtocol);
    const applied = client.applyDiff({ id: "layer", parent: "below" }, { body: archiveOf("an archive") });
    await expect(applied).rejects.toMatchObject({ code: "UNAVAILABLE", reachedPeer: true });
    expect(bodiesOf(peer, "/GraphDriver.ApplyDiff").slice(2)).toEqual(["an archive"]);
  });

  test("U1: what reached nobody is sent again, as often as it takes, with its whole body", async () => {
    const events = new EventEmitter();
    const logger = { ...silentLogger, warn: (_fields: object, text: string) => void events.emit(text) };
    await using hosts = await openTwoHosts({ program: program(), logger });
    let client;
    {
      await using peer = await hosts.startPlugin("g", implementing("GraphDriver"));
      ({ client } = await hosts.registry.get("g", graphDriverProtocol));
      expect(peer.calls).toHaveLength(1);
    }
    const tryingAgain = once(events, "nobody was reached; trying again");
    const applied = client.applyDiff({ id: "layer", parent: "below" }, { body: archiveOf("an archive") });
    await Promise.race([tryingAgain, applied]);
    const peer = await hosts.startPlugin("g", implementing("GraphDriver"));
    await applied;
    expect(bodiesOf(peer, "/GraphDriver.ApplyDiff")).toEqual(["an archive"]);
  });

  test("U8: an answer is read whatever its size; here up to a limit", async () => {
    await using hosts = await openTwoHosts({ program: program() });
    const { original, registry } = hosts;
    const sizeMib = 32;
    let sentMib = 0;
    const answer = answeringAs(implementing("VolumeDriver"), (_call, response) => {
      response.statusCode = 500;
      Readable.from(chunks(sizeMib, () => sentMib++)).pipe(response);
    });
    await hosts.startPlugin("p", answer);
    const { error } = await original.call("p", "VolumeDriver", "VolumeDriver.Path", { Name: "v" });
    expect(error).toHaveLength("VolumeDriver.Path: ".length + sizeMib * mebibyte);
    expect(await original.peakResidentMib()).toBeGreaterThan(sizeMib);
    expect(sentMib).toBe(sizeMib);

    const { client } = await registry.get("p", volumeDriverProtocol);
    sentMib = 0;
    const call = client.path({ Name: "v" });
    await expect(call).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    await expect(call).rejects.toThrow(/VolumeDriver\.Path.* is over 65536 bytes/);
    expect(sentMib).toBeLessThan(sizeMib / 4);
  });

  test("U10: an id can say who its parent is; here it arrives as the id that it is", async () => {
    await using hosts = await openTwoHosts({ program: program() });
    const { original, registry } = hosts;
    const answer = answeringAs(implementing("GraphDriver"), (_call, response) => response.end("{}"));
    const peer = await hosts.startPlugin("g", answer);
    const id = "layer&parent=another#";
    await original.applyDiff("g", id, "below", "");
    const asked = () => queryOf(peer.calls.findLast(({ url }) => url.startsWith("/GraphDriver.ApplyDiff"))!.url);
    expect(asked()).toEqual({ id: "layer", parent: "another" });

    const { client } = await registry.get("g", graphDriverProtocol);
    await client.applyDiff({ id, parent: "below" }, { body: archiveOf("") });
    expect(asked()).toEqual({ id, parent: "below" });
  });
});

/** Reads a call to `path` to its end and breaks off, if it had a body; every other call has an empty answer. */
function breakingOff(subsystem: string, path: string): PeerAnswer {
  return answeringAs(implementing(subsystem), ({ url, body }, response) => {
    if (url.startsWith(path) && body !== "") response.destroy();
    else response.end("{}");
  });
}

function bodiesOf(peer: Peer, path: string): string[] {
  return peer.calls.filter(({ url }) => url.startsWith(path)).map(({ body }) => body);
}

function queryOf(url: string): object {
  return Object.fromEntries([...new URL(url, "http://plugin").searchParams].toReversed()); // of two, the first counts
}

function archiveOf(text: string): AsyncIterable<Uint8Array> {
  return Readable.from([Buffer.from(text)]);
}

function* chunks(count: number, onChunk: () => void): Generator<Buffer> {
  const chunk = Buffer.alloc(mebibyte, "x");
  for (let sent = 0; sent < count; sent++) {
    onChunk();
    yield chunk;
  }
}
