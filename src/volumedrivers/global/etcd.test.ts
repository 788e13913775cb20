/** What comes of peers that are no etcd, or none at all. Against a real one: test/kernel/volumes/global.mjs. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { pemPath } from "../../transport/tls/tls.test.support.ts";
import { createEtcd, type Etcd } from "./etcd.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function nobody(): Promise<string> {
  const url = await serve(() => {});
  await closers.pop()?.();
  return url;
}

const empty: RequestListener = (_, response) => response.end('{"header":{}}');

it("asks another endpoint where nobody listens, and stays with it", async () => {
  let asked = 0;
  const alive = await serve((request, response) => (asked++, empty(request, response)));
  const etcd = createEtcd({ endpoints: [await nobody(), alive] });
  expect([await etcd.list("/x/"), await etcd.change([], [{ delete: "/x/a" }])]).toEqual([[], false]);
  expect(asked).toBe(2);
});

it("says in words that nobody answers, and changes nothing twice that may have been heard", async () => {
  await expect(createEtcd({ endpoints: [await nobody()] }).get("/x")).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringMatching(/^etcd at http:\/\/127.0.0.1:\d+ does not answer: /),
  });
  let asked = 0;
  const silent = await serve(() => void asked++);
  const etcd = createEtcd({ endpoints: [silent, silent], timeoutMs: 50 });
  await expect(etcd.change([], [{ put: "/x", value: "y" }])).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: expect.stringMatching(/it took more than 50 ms/),
  });
  expect(asked).toBe(1);
  await expect(etcd.get("/x")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(asked).toBe(3);
});

const unavailable: RequestListener = (_, response) =>
  response.writeHead(503).end('{"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14}');
const proxy: RequestListener = (_, response) => response.writeHead(502).end("<html>Bad Gateway");
const granting: RequestListener = (_, response) => response.end('{"ID":"7","result":{"TTL":"30"},"succeeded":true}');

it.each([
  ["hangs", () => {}],
  ["has no leader", unavailable],
  ["is a proxy before none", proxy],
] satisfies [string, RequestListener][])(
  "goes on to another where the first %s, and stays there",
  async (_, listener) => {
    let asked = 0;
    const first = await serve((request, response) => (asked++, listener(request, response)));
    const calls = [
      (etcd: Etcd) => etcd.get("/x"),
      (etcd: Etcd) => etcd.keepLease("7"),
      (etcd: Etcd) => etcd.grantLease(30),
      (etcd: Etcd) => etcd.revokeLease("7"),
    ];
    for (const [index, call] of calls.entries()) {
      const etcd = createEtcd({ endpoints: [first, await serve(granting)], timeoutMs: 200 });
      await call(etcd);
      expect(asked).toBe(index + 1);
      expect(await etcd.change([], [{ put: "/x", value: "y" }])).toBe(true);
      expect(asked).toBe(index + 1);
    }
    const etcd = createEtcd({ endpoints: [first, await serve(granting)], timeoutMs: 200 });
    await expect(etcd.change([], [{ put: "/x", value: "y" }])).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(await etcd.change([], [{ put: "/x", value: "y" }])).toBe(true);
    expect(asked).toBe(calls.length + 1);
  },
);

it.each([
  ["a web page", (_, response) => response.end("<html>"), /is no etcd$/],
  ["an etcd without its gateway", (_, response) => response.writeHead(404).end('"404"'), /has no etcd API v3/],
  [
    "one that wants a password",
    (_, response) => response.writeHead(400).end('{"error":"etcdserver: user name is empty","code":3}'),
    /refuses: "etcdserver: user name is empty"$/,
  ],
] satisfies [string, RequestListener, RegExp][])("tells %s from an etcd", async (_, listener, message) => {
  await expect(createEtcd({ endpoints: [await serve(listener)] }).get("/x")).rejects.toThrow(message);
});

it.each(["10.0.0.1:2379", "ftp://x", "http://x/path", ""])("refuses the endpoint %j", (endpoint) => {
  expect(() => createEtcd({ endpoints: [endpoint] })).toThrow(/is not such as "http:\/\/10.0.0.1:2379"/);
});

it.each(["ca", "cert", "key"])("says which file of tls is not there: %s", async (option) => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-etcd-"));
  closers.push(() => rm(folder, { recursive: true }));
  const path = join(folder, "file.pem");
  const open = (tls = { [option]: path }) => createEtcd({ endpoints: ["https://127.0.0.1:1"], tls });
  const missing = { code: "INVALID_ARGUMENT", message: `etcd: tls.${option} "${path}" is not there` };
  expect(open).toThrow(expect.objectContaining(missing));
  await copyFile(pemPath(option === "key" ? "server-key.pem" : "server.pem"), path);
  const etcd = open();
  await rm(path);
  await expect(etcd.get("/x")).rejects.toMatchObject(missing);
  expect(() => open({ [option]: folder })).toThrow(new RegExp(`^etcd: tls.${option} "${folder}": EISDIR`));
});

it("says so when a file is no PEM", () => {
  const tls = { cert: import.meta.filename, key: import.meta.filename };
  const open = () => createEtcd({ endpoints: ["https://127.0.0.1:1"], tls });
  const message = expect.stringMatching(/^etcd: the files of tls are of no use: .*no start line/);
  expect(open).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", message }));
});

it("reads its certificates again when they were renewed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-etcd-"));
  closers.push(() => rm(folder, { recursive: true }));
  const [key, cert] = await Promise.all(["server-key.pem", "server.pem"].map((name) => readFile(pemPath(name))));
  const server = createSecureServer({ key, cert }, empty);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))));
  const endpoints = [`https://127.0.0.1:${(server.address() as AddressInfo).port}`];
  const ca = join(folder, "ca.pem");
  await writeFile(ca, "");
  const etcd = createEtcd({ endpoints, tls: { ca } });
  await expect(etcd.get("/x")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await copyFile(pemPath("ca.pem"), ca);
  expect(await etcd.get("/x")).toBeUndefined();
});
