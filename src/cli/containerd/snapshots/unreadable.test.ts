/** One snapshot whose files cannot be read keeps no other from being shown, mended or collected. */
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  containersService,
  imagesService,
  introspectionService,
  leasesService,
  namespacesService,
  snapshotsService,
} from "../../../containerd/index.ts";
import { CleatError } from "../../../errors/index.ts";
import { implementService, type ImplementedService, type RunningGrpcServer, serveGrpc } from "../../../grpc/index.ts";
import { cleat, folder } from "../../run.test.support.ts";

const sockets = ["containerd.sock", "cleat.sock"];
const [containerd, own] = sockets.map((name) => () => join(folder, name)) as [() => string, () => string];
let servers: RunningGrpcServer[];
/** How many calls ask how a snapshot is mounted, and how many did at once. */
let asking: number;
let askedAtOnce: number;

/** What answers nothing but what is given. */
function implement(service: Parameters<typeof implementService>[0], methods: object): ImplementedService {
  const notAsked = (): never => {
    throw new CleatError("INTERNAL", "nobody was to ask this");
  };
  const all = Object.fromEntries(Object.keys(service.methods).map((name) => [name, notAsked]));
  return implementService(service, { ...all, ...methods } as never);
}

const snapshotsOf = (prefix: string): ImplementedService => {
  const refuse = (key: string) => {
    if (key.endsWith("bad")) throw new CleatError("UNKNOWN", "EIO: i/o error");
  };
  const names = ["bad", "good"].map((name) => `${prefix}${name}`);
  return implement(snapshotsService, {
    async *list() {
      yield { info: names.map((name) => ({ name, parent: "", kind: "ACTIVE", labels: {} })) };
    },
    async mounts({ key }: { key: string }) {
      askedAtOnce = Math.max(askedAtOnce, ++asking);
      await pause(100);
      asking--;
      refuse(key);
      return { mounts: [{ type: "bind", source: "/nowhere", target: "", options: [] }] };
    },
    async usage({ key }: { key: string }) {
      refuse(key);
      return { size: 512n, inodes: 2n };
    },
    view: async () => ({ mounts: [] }),
    remove: async () => ({}),
    cleanup: async () => ({}),
  });
};

beforeEach(async () => {
  [asking, askedAtOnce] = [0, 0];
  const serve = (path: string, services: ImplementedService[]) =>
    serveGrpc({
      services,
      async listen(server) {
        await once(server.listen(path), "listening");
        return { address: `unix://${path}`, remove: async () => {} };
      },
    });
  servers = [
    await serve(containerd(), [
      implement(namespacesService, { list: async () => ({ namespaces: [{ name: "default" }] }) }),
      implement(introspectionService, {
        plugins: async () => ({ plugins: [{ type: "io.containerd.snapshotter.v1", id: "cleat" }] }),
      }),
      implement(imagesService, { list: async () => ({ images: [] }) }),
      implement(containersService, { list: async () => ({ containers: [] }) }),
      implement(leasesService, {
        list: async () => ({ leases: [] }),
        create: async () => ({ lease: { id: "l" } }),
        delete: async () => ({}),
      }),
      snapshotsOf(""),
    ]),
    await serve(own(), [snapshotsOf("default/1/")]),
  ];
});
afterEach(async () => {
  for (const server of servers) await server.close();
});

const snapshots = (...words: string[]) =>
  cleat(["snapshots", ...words, "--containerd", containerd(), "--socket", own()]);

it("ls and tree show it, and do not say that it is not mounted", async () => {
  const { code, out, err } = await snapshots("ls");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out.split("\n").map((line) => line.trim().split(/\s+/).slice(1, 5))).toEqual([
    ["NAME", "KIND", "STATE", "MOUNTED"],
    ["bad", "active", "ok", "?"],
    ["good", "active", "ok", "-"],
    [],
  ]);
  expect(JSON.parse((await snapshots("ls", "--json")).out)).toMatchObject({
    snapshots: [{ mountPoints: null }, { mountPoints: [] }],
  });
  expect(askedAtOnce).toBe(2); // thousands that are asked one after another take their time
  expect(await snapshots("tree")).toMatchObject({ code: 0, out: expect.stringContaining("bad") as string });
});

it("du counts the others, and says which it did not", async () => {
  const { code, out, err } = await snapshots("du");
  expect({ code, lines: out.trim().split("\n").slice(1) }).toMatchObject({
    code: 1,
    lines: [/^512 B +2 +default +good/, /^- +- +default +bad/, /^512 B in 2 inodes$/].map(
      (line) => expect.stringMatching(line) as string,
    ),
  });
  expect(err).toMatch(/^cleat: default bad is not counted: .*EIO: i\/o error\n$/);
  expect(askedAtOnce).toBe(0); // it does not show where they are mounted
});

it("repair and gc go on", async () => {
  expect(await snapshots("repair")).toEqual({ code: 0, out: "nothing is broken\n", err: "" });
  expect(await snapshots("gc")).toEqual({ code: 0, out: "0 collected, 2 left\n", err: "" });
  expect(askedAtOnce).toBe(0);
});
