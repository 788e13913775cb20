/**
 * What the example of an authorization plugin lets through: everything that an engine's own client sends, and no way to
 * the host.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Policy, readApiRequest } from "../../src/authz/index.ts";
import { recordedBytes } from "../../src/host/index.ts";
import { readCorpus } from "../golden/corpus.ts";
import { buildExample } from "../harness/plugins/example.ts";

let folder: string;
let policy: Policy;
beforeAll(async () => {
  folder = await mkdtemp("/var/tmp/cleat-policy-");
  const programs = await buildExample("authz-policy", folder);
  const { createHostPolicy } = (await import(`${programs}/policy.js`)) as {
    createHostPolicy(folders: string[]): Policy;
  };
  policy = createHostPolicy(["/srv"]);
});
afterAll(() => rm(folder, { recursive: true }));

const decide = async (body: unknown, uri = "/v1.45/containers/create") => {
  const facts = {
    user: "",
    authenticationMethod: "",
    method: "POST",
    uri,
    headers: { "Content-Type": "application/json" },
    body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    peerCertificates: [],
  };
  return policy(readApiRequest(facts), new AbortController());
};

test("containers that the engines' own clients asked for are judged by what they are given of the host", async () => {
  const decisions: (readonly [privileged: boolean, allowed: boolean])[] = [];
  for (const { name, exchanges } of await readCorpus("test/golden")) {
    if (!name.endsWith("-authz")) continue;
    for (const { request } of exchanges) {
      if (request.url !== "/AuthZPlugin.AuthZReq") continue;
      const asked = JSON.parse(recordedBytes(request.body).toString()) as Record<string, string>;
      if (!/\/containers\/create/.test(asked["RequestUri"] ?? "") || asked["RequestBody"] === undefined) continue;
      const body = Buffer.from(asked["RequestBody"], "base64").toString();
      decisions.push([body.includes('"Privileged":true'), (await decide(body, asked["RequestUri"])).allow]);
    }
  }
  expect(decisions.length).toBeGreaterThanOrEqual(6);
  for (const [privileged, allowed] of decisions) expect(allowed).toBe(!privileged);
});

test.each([
  { Binds: ["/srv/data:/data:ro", "named:/x"], Memory: 1 << 20, PortBindings: { "80/tcp": [{ HostPort: "80" }] } },
  { Mounts: [{ Type: "volume", Source: "named", Target: "/x" }], Init: true, Tmpfs: { "/tmp": "" } },
])("a container may have %j", async (HostConfig) => {
  const container = { Image: "small", Cmd: ["true"], Env: ["A=b"], Labels: { a: "b" }, HostConfig };
  expect(await decide(container)).toEqual({ allow: true });
});

test.each([
  { DeviceCgroupRules: ["b *:* rwm"] }, // and then mknod, which containers may
  { DeviceRequests: [{ Driver: "nvidia", Count: -1 }] },
  { SecurityOpt: ["apparmor=unconfined"] },
  { ReadonlyPaths: [] }, // /proc/sys/kernel/core_pattern can be written then
  { MaskedPaths: [] },
  { UsernsMode: "host" },
  { UTSMode: "host" },
  { CgroupnsMode: "host" },
  { CgroupParent: "/" },
  { Runtime: "other" },
  { VolumesFrom: ["the-operators"] },
  { securityopt: ["seccomp=unconfined"] },
  { "\u017fecurityOpt": ["seccomp=unconfined"] },
  { SomethingThatIsNewInDocker: true },
  { Mounts: [{ Type: "volume", VolumeOptions: { DriverConfig: { Name: "other", Options: { path: "/etc" } } } }] },
])("a container may not have %j, nor beside HostConfig", async (HostConfig) => {
  expect(await decide({ Image: "small", HostConfig })).toMatchObject({ allow: false });
  expect(await decide({ Image: "small", ...HostConfig })).toMatchObject({ allow: false });
});

test("a volume of a driver that the policy does not know has no options", async () => {
  const create = (body: object) => decide(body, "/volumes/create");
  expect(await create({ Name: "a", Driver: "other" })).toEqual({ allow: true });
  expect(await create({ Name: "a", Driver: "other", DriverOpts: { source: "/etc" } })).toMatchObject({ allow: false });
  const bind = (device: string) => ({ Name: "a", Driver: "local", DriverOpts: { type: "none", o: "bind", device } });
  expect(await create(bind("/etc"))).toMatchObject({ allow: false });
  expect(await create(bind("/srv/x"))).toEqual({ allow: true });
});
