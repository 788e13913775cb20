import { chmod, link, rename, rm } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { createDiscovery } from "../discovery.ts";
import { at, close, listen, locations, write } from "../discovery.test.support.ts";
import { currentIdentity, identityOf } from "./identity.ts";

const find = () => createDiscovery(locations).find("p");

describe("the identity of a plugin at a socket", () => {
  it("stays while the same socket stands there", async () => {
    await listen(at("run/p.sock"));
    const found = await find();
    await chmod(at("run/p.sock"), 0o600);
    await link(at("run/p.sock"), at("other"));
    expect(await currentIdentity(found)).toBe(found.identity);
    expect((await find()).identity).toBe(found.identity);
  });

  it("changes when another socket takes its place, though inodes are used again (U12)", async () => {
    const seen = new Set<string>();
    for (let times = 0; times < 10; times++) {
      const server = await listen(at("run/p.sock"));
      seen.add((await find()).identity);
      await close(server);
    }
    expect(seen.size).toBe(10);
  });

  it("changes when another socket is moved over it", async () => {
    await listen(at("run/p.sock"));
    const found = await find();
    await listen(at("new"));
    await rename(at("new"), at("run/p.sock"));
    expect(await currentIdentity(found)).not.toBe(found.identity);
    expect(await currentIdentity(found)).toBe((await find()).identity);
  });

  it("has a value while the socket is away, or cannot be looked at", async () => {
    const server = await listen(at("run/p.sock"));
    const found = await find();
    await close(server);
    expect(await currentIdentity(found)).toBe(`unix://${at("run/p.sock")} absent`);
    await rm(at("run"), { recursive: true });
    expect(await currentIdentity(found)).toBe(`unix://${at("run/p.sock")} absent`);
    const unusual = { ...found, address: { unix: `/${"x".repeat(5_000)}` } };
    expect(await currentIdentity(unusual)).toMatch(/ ENAMETOOLONG$/);
  });

  it("is that of the socket also when a spec tells of it", async () => {
    await write(at("etc/p.spec"), `unix://${at("s")}`);
    const absent = await find();
    expect(absent.identity).toBe(`unix://${at("s")} absent`);
    await listen(at("s"));
    expect(await currentIdentity(absent)).toMatch(/s \d+:\d+:\d+$/);
    expect((await find()).identity).toBe(await currentIdentity(absent));
  });
});

describe("the identity of a plugin on TCP", () => {
  const tcp = { tcp: { host: "127.0.0.1", port: 1 } };
  const https = { https: { host: "127.0.0.1", port: 1 } };

  it("is its address, and whom to trust there", async () => {
    const identities = await Promise.all([
      identityOf(tcp, undefined),
      identityOf({ tcp: { host: "127.0.0.1", port: 2 } }, undefined),
      identityOf(https, {}),
      identityOf(https, { ca: "a" }),
      identityOf(https, { ca: "b" }),
      identityOf(https, { cert: "a", key: "a" }),
      identityOf(https, { cert: "a", key: "b" }),
      identityOf(https, { serverName: "a" }),
      identityOf(https, { insecureSkipVerify: true }),
    ]);
    expect(new Set(identities).size).toBe(identities.length);
    expect(await identityOf(https, { ca: "a" })).toBe(identities[3]);
  });

  it("does not show the key", async () => {
    expect(await identityOf(https, { cert: "a", key: "SECRET" })).not.toContain("SECRET");
  });

  it("is not looked up again", async () => {
    const found = { name: "p", path: "/gone", address: https, tls: {}, identity: "as it was" };
    expect(await currentIdentity(found)).toBe("as it was");
  });
});
