import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { listenAs, socketOf, specOf, startPlugin } from "./plugins.test.support.ts";
import { cleat, folder } from "../run.test.support.ts";

it("prints where a plugin was found, what it can do, and how long it may take", async () => {
  await startPlugin("p", {
    "/Plugin.Activate": { Implements: ["VolumeDriver", "GraphDriver", "CustomDriver"] },
    "/VolumeDriver.Capabilities": { Capabilities: { Scope: "global" } },
  });
  const { code, out } = await cleat(["inspect", "p"]);
  expect(code).toBe(0);
  expect(out).toMatch(/^Plugin "p"\n/);
  expect(out).toContain(`  address     unix://${socketOf("p")}\n  TLS         none\n  state       ok, answered in `);
  expect(out).toContain("  implements  VolumeDriver, GraphDriver, CustomDriver\n");
  expect(out).toContain(`\nPaths\n  found          ${socketOf("p")}\n  not looked at  `);
  expect(out).toContain('  VolumeDriver  {"Capabilities":{"Scope":"global"}}\n');
  expect(out).toContain("  GraphDriver   not implemented: engines assume the defaults\n");
  expect(out).toMatch(/\n {2}VolumeDriver\.Mount +120 s\n/);
  expect(out).not.toContain("CustomDriver.");
});

it("prints the same as JSON", async () => {
  await startPlugin("p", {
    "/Plugin.Activate": { Implements: ["VolumeDriver"] },
    "/VolumeDriver.Capabilities": { Err: "bad day" },
  });
  const { out } = await cleat(["inspect", "p", "--json", "--timeout", "3"]);
  expect(JSON.parse(out)).toMatchObject({
    name: "p",
    address: `unix://${socketOf("p")}`,
    state: "ok",
    implements: ["VolumeDriver"],
    capabilities: { VolumeDriver: { error: expect.stringContaining("bad day") } },
    deadlinesMs: { "Plugin.Activate": 3_000, "VolumeDriver.Mount": 3_000 },
  });
});

it("knows protocols by what plugins announce, where that is not the first half of their paths", async () => {
  await startPlugin("p", { "/Plugin.Activate": { Implements: ["authz", "secretprovider"] } });
  const { out } = await cleat(["inspect", "p", "--json"]);
  expect(JSON.parse(out).deadlinesMs).toMatchObject({
    "AuthZPlugin.AuthZReq": expect.any(Number),
    "SecretProvider.GetSecret": expect.any(Number),
  });
});

it("is of use when the plugin does not answer", async () => {
  await listenAs(
    "p",
    createServer((socket) => void socket.on("error", () => {})),
  );
  const { code, out } = await cleat(["inspect", "p", "--timeout", "0.1"]);
  expect(code).toBe(3);
  expect(out).toMatch(/ state +silent: \S+ on plugin "p" at unix:\/\/\S+ gave no answer within 100 ms\n/);
  expect(out).toContain(`  found          ${socketOf("p")}\n`);
  expect(await cleat(["inspect", "nobody"])).toMatchObject({
    code: 3,
    err: expect.stringContaining(socketOf("nobody")),
  });
  expect(await cleat(["inspect", `${folder}/nobody.sock`])).toMatchObject({
    code: 3,
    out: expect.stringMatching(/ state +dead: /),
  });
});

it("says whom it trusts, and nothing of keys", async () => {
  const pem = (file: string) => join(import.meta.dirname, "../../../test/fixtures/tls", file);
  const spec = {
    Addr: "https://127.0.0.1:1",
    TLSConfig: {
      CAFile: pem("ca.pem"),
      CertFile: pem("client.pem"),
      KeyFile: pem("client-key.pem"),
      ServerName: "localhost",
    },
  };
  await mkdir(dirname(specOf("p.json")), { recursive: true });
  await writeFile(specOf("p.json"), JSON.stringify(spec));
  const { code, out } = await cleat(["inspect", "p"]);
  expect(code).toBe(3);
  expect(out).toMatch(
    / TLS +verified as localhost, by its CAFile \(.*CN=.*, until .* GMT\), with a client's certificate\n/,
  );
  expect(out).toContain(`  not there      ${specOf("p.spec")}\n`);
  const { out: json } = await cleat(["inspect", "p", "--json"]);
  expect(JSON.parse(json)).toMatchObject({
    trust: { verified: true, serverName: "localhost", showsClientCertificate: true },
  });
  const [, secret = "?"] = (await readFile(pem("client-key.pem"), "utf8")).split("\n");
  expect(`${out}${json}`).not.toContain(secret);

  await writeFile(specOf("p.json"), JSON.stringify({ Addr: spec.Addr, TLSConfig: { InsecureSkipVerify: true } }));
  const careless = await cleat(["inspect", "p"]);
  expect(careless.out).toMatch(/ TLS +NOT VERIFIED: whoever answers is trusted\n/);
  expect(careless.err).toContain("TLS is not verified: whoever answers at https://127.0.0.1:1 is trusted");
});

it("asks a plugin once for the capabilities of a protocol that it announces more than once", async () => {
  const asked: (string | undefined)[] = [];
  const Implements = Array.from({ length: 100 }, () => "VolumeDriver");
  const server = createHttpServer((request, response) => {
    asked.push(request.url);
    response.end(JSON.stringify(request.url === "/Plugin.Activate" ? { Implements } : {}));
  });
  await listenAs("p", server);
  await cleat(["inspect", "p"]);
  expect(asked.filter((url) => url === "/VolumeDriver.Capabilities")).toHaveLength(1);
});
