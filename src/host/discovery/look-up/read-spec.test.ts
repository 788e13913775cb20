import { execFileSync } from "node:child_process";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDiscovery } from "../discovery.ts";
import { asOrdinaryUser, at, forbid, listen, locations, write } from "../discovery.test.support.ts";

const find = () => createDiscovery(locations).find("p");
const pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
const json = (config: object, address = "https://plugins.example:8443") =>
  write(at("etc/p.json"), JSON.stringify({ Name: "p", Addr: address, TLSConfig: config }));

describe("a spec file", () => {
  it.each([
    ["unix:///run/x.sock\n", { unix: "/run/x.sock" }],
    ["  tcp://127.0.0.1:8080", { tcp: { host: "127.0.0.1", port: 8080 } }],
  ])("%j tells where the plugin is", async (content, address) => {
    const path = await write(at("etc/p.spec"), content);
    expect(await find()).toMatchObject({ name: "p", path, address, tls: undefined });
  });

  it("is read through a symbolic link", async () => {
    await symlink(await write(at("elsewhere"), "tcp://127.0.0.1:1"), at("etc/p.spec"));
    expect((await find()).address).toEqual({ tcp: { host: "127.0.0.1", port: 1 } });
  });

  it.each([
    ["empty", "p.spec", "", "is empty; it may be half written"],
    ["blank", "p.spec", " \n", "holds no address"],
    ["no address", "p.spec", "hello", "is none of unix:///PATH"],
    ["half a scheme", "p.spec", "tc", "is none of unix:///PATH"],
    ["too long", "p.spec", `tcp://127.0.0.1:1${" ".repeat(65_536)}`, "is longer than 65536 bytes"],
    ["cut off by a NUL", "p.spec", "unix:///run/a.sock\0.sock", "socket path has a NUL in it"],
    ["too long a socket", "p.spec", `unix:///${"x".repeat(120)}`, "socket path is 14 bytes too long for the kernel"],
    ["empty", "p.json", "", "is empty; it may be half written"],
    ["half written", "p.json", '{"Name":"p","Addr":"unix:/', "not JSON"],
    ["no object", "p.json", "[]", "does not fit its schema"],
    ["of other types", "p.json", '{"Addr":7}', "does not fit its schema"],
    ["without address", "p.json", '{"Name":"p"}', "holds no address"],
  ])("that is %s is refused: %s", async (_, file, content, message) => {
    const path = await write(at("etc", file), content);
    await expect(find()).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(new RegExp(`^spec file "${path}".*${message}`)),
    });
  });

  it.each([
    ["a FIFO nobody writes to", (path: string) => execFileSync("mkfifo", [path])],
    ["a socket", listen],
    ["a device", (path: string) => symlink("/dev/zero", path)],
  ])("that is %s is refused at once", async (_, make) => {
    await make(at("etc/p.spec"));
    await expect(find()).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: `spec file "${at("etc/p.spec")}" is not a regular file`,
    });
  });

  it("is never the second best when the best is broken", async () => {
    await write(at("etc/p.spec"), "");
    await write(at("lib/p.spec"), "tcp://127.0.0.1:1");
    await expect(find()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("whose place a folder takes is passed over, as are links that lead nowhere", async () => {
    await mkdir(at("etc/p.spec"));
    await symlink(at("nowhere"), at("etc/p.json"));
    await symlink(at("lib/p.spec"), at("lib/p.spec"));
    await write(at("lib/p.json"), '{"Addr":"tcp://127.0.0.1:1"}');
    expect((await find()).path).toBe(at("lib/p.json"));
  });

  it("that may not be read is told apart", async () => {
    await forbid(await write(at("etc/p.spec"), "tcp://127.0.0.1:1"));
    await expect(asOrdinaryUser(find)).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      message: expect.stringContaining(at("etc/p.spec")),
    });
  });
});

describe("the files of TLS", () => {
  it("are read with it", async () => {
    const config = {
      CAFile: await write(at("ca.pem"), pem),
      CertFile: await write(at("cert.pem"), pem),
      KeyFile: await write(at("key.pem"), key),
      ServerName: "other.example",
    };
    await json(config);
    expect(await find()).toMatchObject({
      address: { https: { host: "plugins.example", port: 8443 } },
      tls: { ca: pem, cert: pem, key, serverName: "other.example", insecureSkipVerify: undefined },
    });
  });

  it("may be as long as a system's bundle of authorities", async () => {
    const bundle = pem.repeat(5_000);
    await json({ CAFile: await write(at("ca.pem"), bundle) });
    expect((await find()).tls?.ca).toBe(bundle);
  });

  it("need not be named: then the usual authorities are trusted, and nobody unverified (U4)", async () => {
    await json({});
    expect((await find()).tls).toEqual({});
  });

  it.each([
    ["is not there", { CAFile: "/no/such/ca.pem" }, 'CAFile "/no/such/ca.pem" is not there'],
    ["has a relative path", { CAFile: "ca.pem" }, 'CAFile "ca.pem" is not an absolute path'],
    ["has a NUL in its path", { CAFile: "/ca.pem\0" }, 'CAFile "/ca.pem\\\\u0000" is not an absolute path'],
    ["has no key", { CertFile: "/cert.pem" }, "has a CertFile, but no KeyFile"],
    ["has no certificate", { KeyFile: "/key.pem" }, "has a KeyFile, but no CertFile"],
    ["never ends", { CAFile: "/dev/zero" }, 'CAFile "/dev/zero" is not a regular file'],
    ["is not PEM", { CAFile: "/proc/version" }, 'CAFile "/proc/version" is not a PEM file'],
  ])("one that %s makes the spec unusable", async (_, config, message) => {
    const path = await json(config);
    await expect(find()).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(new RegExp(`^spec file "${path}".*${message}$`)),
    });
  });

  it("that are too long make it unusable", async () => {
    const path = await write(at("ca.pem"), pem.padEnd(1024 * 1024 + 1));
    await json({ CAFile: path });
    await expect(find()).rejects.toMatchObject({ message: expect.stringContaining("longer than 1048576 bytes") });
  });

  it("that may not be read are told apart", async () => {
    const path = await write(at("key.pem"), key);
    await forbid(path);
    await json({ CertFile: await write(at("cert.pem"), pem), KeyFile: path });
    const failure = await asOrdinaryUser(() => find().catch((error: unknown) => error));
    expect(failure).toMatchObject({
      code: "PERMISSION_DENIED",
      message: expect.stringContaining(join('KeyFile "', path)),
    });
  });
});
