import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { describe, expect, it } from "vitest";
import { createClient, createHttpTransport, parseAddress, parseSpec } from "../../transport/index.ts";
import { identity, pem, pemPath } from "../../transport/tls/tls.test.support.ts";
import { driver, folder, start, testProtocol, withResolvers } from "../serve.test.support.ts";
import type { TlsListen } from "../index.ts";

interface Changes {
  readonly tls?: Partial<TlsListen["tls"]>;
  readonly spec?: Partial<TlsListen["spec"]>;
}

const listenWith = ({ tls, spec }: Changes = {}): TlsListen => ({
  tls: { host: "127.0.0.1", port: 0, ...identity("server"), ...tls },
  name: "p",
  specDirectory: folder,
  spec: { caFile: pemPath("ca.pem"), ...spec },
});

const mutual: Changes = {
  tls: { clientCa: pem("ca.pem") },
  spec: { certFile: pemPath("client.pem"), keyFile: pemPath("client-key.pem") },
};

/** Calls what a spec file names, trusting whom it names. */
async function clientBySpec() {
  const subject = "spec file";
  const { address, tls } = parseSpec("json", await readFile(join(folder, "p.json")), subject);
  const [ca, cert, key] = await Promise.all(
    [tls?.caFile, tls?.certFile, tls?.keyFile].map(async (path) => path && readFile(path, "utf8")),
  );
  return createClient(testProtocol, createHttpTransport(address, { tls: { ...tls, ca, cert, key } }));
}

describe("TLS", () => {
  it("writes a spec file by which engines call and trust the plugin, and removes it", async () => {
    const plugin = await start({ listen: listenWith() });
    expect(plugin.address).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(JSON.parse(await readFile(join(folder, "p.json"), "utf8"))).toEqual({
      Name: "p",
      Addr: plugin.address,
      TLSConfig: { CAFile: pemPath("ca.pem") },
    });
    expect(await (await clientBySpec()).wait({})).toEqual({ Text: "done" });
    expect(await readdir(folder)).toEqual(["p.json"]);
    await plugin.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it("serves only those who show a certificate, when told to", async () => {
    const plugin = await start({ listen: listenWith(mutual) });
    expect(await (await clientBySpec()).wait({})).toEqual({ Text: "done" });
    const strangers = [{ ca: pem("ca.pem") }, { ca: pem("ca.pem"), ...identity("other-client") }];
    for (const tls of strangers) {
      const client = createClient(testProtocol, createHttpTransport(parseAddress(plugin.address), { tls }));
      await expect(client.wait({})).rejects.toMatchObject({ name: "TransportError" });
    }
  });

  it.each([
    ["a host's name in the address", { tls: { host: "localhost" } }, "https://localhost:"],
    ["an address that can be dialled", { tls: { host: "0.0.0.0" } }, "https://127.0.0.1:"],
    [
      "another name than the host's",
      { tls: identity("wrong-host"), spec: { serverName: "plugins.example" } },
      "https://",
    ],
    [
      "a self-signed certificate",
      { tls: identity("self-signed"), spec: { caFile: pemPath("self-signed.pem") } },
      "https://",
    ],
  ])("takes %s", async (_what, changes, prefix) => {
    const plugin = await start({ listen: listenWith(changes) });
    expect(plugin.address.startsWith(prefix)).toBe(true);
    expect(await (await clientBySpec()).wait({})).toEqual({ Text: "done" });
  });

  it.each<[string, Changes, string, RegExp]>([
    [
      "of another authority",
      { spec: { caFile: pemPath("other-ca.pem") } },
      "FAILED_PRECONDITION",
      /"p": .*not trusted$/,
    ],
    ["for another name", { tls: identity("wrong-host") }, "FAILED_PRECONDITION", /"DNS:plugins\.example", not for/],
    ["that expired", { tls: identity("expired") }, "FAILED_PRECONDITION", /expired on 2021-01-01/],
    [
      "without its key",
      { tls: { key: pem("client-key.pem") } },
      "INVALID_ARGUMENT",
      /cert and key are of no use together/,
    ],
    [
      "with a damaged authority of clients",
      { tls: { clientCa: "x" } },
      "INVALID_ARGUMENT",
      /clientCa holds no certificate/,
    ],
  ])("refuses a certificate %s, and writes nothing", async (_what, changes, code, message) => {
    await expect(start({ listen: listenWith(changes) })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it.each<[string, Changes, string, RegExp]>([
    ["a relative path", { spec: { caFile: "ca.pem" } }, "INVALID_ARGUMENT", /caFile "ca\.pem" is not absolute/],
    ["a file that is not there", { spec: { caFile: "/no/ca.pem" } }, "FAILED_PRECONDITION", /ENOENT.*\/no\/ca\.pem/],
    ["a key without certificate", { spec: { keyFile: "/k.pem" } }, "INVALID_ARGUMENT", /go together/],
    [
      "no certificate where one is wanted",
      { ...mutual, spec: {} },
      "INVALID_ARGUMENT",
      /certFile and keyFile are missing/,
    ],
    [
      "a certificate that the plugin refuses",
      { ...mutual, spec: { certFile: pemPath("other-client.pem"), keyFile: pemPath("other-client-key.pem") } },
      "FAILED_PRECONDITION",
      /^engines cannot call plugin "p": /,
    ],
  ])("refuses to tell engines %s", async (_what, changes, code, message) => {
    await expect(start({ listen: listenWith(changes) })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("spec files of an earlier process", () => {
  async function portOfTheDead(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, "close");
    return port;
  }

  it("in the other format are replaced, one way and back", async () => {
    await writeFile(join(folder, "p.spec"), `tcp://127.0.0.1:${await portOfTheDead()}\n`);
    const tls = await start({ listen: listenWith() });
    expect(await readdir(folder)).toEqual(["p.json"]);
    await tls.close();
    const stale = { Name: "p", Addr: `https://127.0.0.1:${await portOfTheDead()}` };
    await writeFile(join(folder, "p.json"), JSON.stringify(stale));
    await start({ listen: { tcp: { host: "127.0.0.1", port: 0 }, name: "p", specDirectory: folder } });
    expect(await readdir(folder)).toEqual(["p.spec"]);
  });

  it("that name the plugin's own address are replaced", async () => {
    const port = await portOfTheDead();
    await writeFile(join(folder, "p.spec"), `tcp://localhost:${port}\n`);
    await start({ listen: listenWith({ tls: { port } }) });
    expect(await readdir(folder)).toEqual(["p.json"]);
  });

  it("are left alone where somebody listens", async () => {
    const living = await start({ listen: listenWith() });
    const tcp = { tcp: { host: "127.0.0.1", port: 0 }, name: "p", specDirectory: folder };
    for (const listen of [tcp, listenWith()]) {
      await expect(start({ listen })).rejects.toMatchObject({
        code: "FAILED_PRECONDITION",
        message: `spec file "${folder}/p.json": another process listens at its address ${living.address}`,
      });
    }
    expect(await readdir(folder)).toEqual(["p.json"]);
    expect(await (await clientBySpec()).wait({})).toEqual({ Text: "done" });
  });

  it.each([
    ["p.spec", "nonsense", /"nonsense" is none of .*Cleat did not write it/],
    ["p.json", '{"Addr":', /p\.json" .*JSON.*Cleat did not write it/s],
  ])("%s that hold %s are left alone", async (file, content, message) => {
    await writeFile(join(folder, file), content);
    await expect(start({ listen: listenWith() })).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringMatching(message),
    });
    expect(await readFile(join(folder, file), "utf8")).toBe(content);
  });

  it("that engines would find first are pointed out", async () => {
    await mkdir(join(folder, "p"));
    await writeFile(join(folder, "p", "p.spec"), "tcp://127.0.0.1:1");
    await expect(start({ listen: listenWith() })).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: `spec file "${folder}/p/p.spec" would be found before "p.json"; remove it first`,
    });
  });
});

describe("close", () => {
  it("lets calls over TLS finish, and waits for no handshake", async () => {
    const running = withResolvers<void>();
    const finish = withResolvers<string>();
    const slow = driver(async () => {
      running.resolve();
      return finish.promise;
    });
    const plugin = await start({ drivers: [slow], listen: listenWith(), drainTimeoutMs: 60_000 });
    const call = (await clientBySpec()).wait({});
    const { port } = new URL(plugin.address);
    const silent = connect(Number(port), "127.0.0.1").resume();
    const spare = connectTls({ port: Number(port), host: "127.0.0.1", ca: pem("ca.pem") }).resume();
    silent.on("error", () => {});
    spare.on("error", () => {});
    await Promise.all([running.promise, once(silent, "connect"), once(spare, "secureConnect")]);
    const closing = plugin.close();
    await Promise.all([once(silent, "close"), once(spare, "close")]);
    finish.resolve("finished");
    expect(await call).toEqual({ Text: "finished" });
    await closing;
  });

  it("breaks off calls over TLS that do not finish in time", async () => {
    const running = withResolvers<void>();
    const stuck = driver(() => {
      running.resolve();
      return new Promise(() => {});
    });
    const plugin = await start({ drivers: [stuck], listen: listenWith() });
    const failure = expect((await clientBySpec()).wait({})).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await running.promise;
    await plugin.close();
    await failure;
  });
});
