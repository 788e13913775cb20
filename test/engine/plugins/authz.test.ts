/** Docker with the example of an authorization plugin: what the policy forbids is not done, however it is asked for. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { atNight, byDayOrNight } from "../../night.ts";
import { callApi, type ApiCall } from "../../harness/engines/api-call.ts";
import { idling } from "../../harness/engines/containers.ts";
import { startDockerd, type Dockerd } from "../../harness/engines/dockerd.ts";
import { buildExample } from "../../harness/plugins/example.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { openNamespace, type Namespace } from "../../harness/namespaces/namespace.ts";
import { startPlugin, type PluginProcess } from "../../harness/plugins/plugin-process.ts";
import { type EngineRelease, forky, machine, titleOf, trixie } from "../../harness/namespaces/release.ts";

for (const release of byDayOrNight([machine], [trixie, forky])) {
  const required = [...needsOf(release, "docker"), needs.overlay, needs.busybox];
  describeWith(required, `${titleOf(release, "docker")} with an authorization plugin`, () => withPolicyOn(release));
}

function withPolicyOn(release: EngineRelease): void {
  let namespace: Namespace;
  let plugin: PluginProcess;
  let dockerd: Dockerd;
  let shared: string;

  beforeAll(async () => {
    namespace = await openNamespace(release);
    shared = `${namespace.folder}/shared`;
    const program = `${await buildExample("authz-policy", `${namespace.folder}/example-authz-policy`)}/serve.js`;
    plugin = await startPlugin(namespace, { name: "policy", argv: [process.execPath, program, "policy", shared] });
    dockerd = await startDockerd(namespace, {
      name: "dockerd",
      storageDriver: "overlay2",
      dataRoot: `${namespace.folder}/docker`,
      arguments: ["--authorization-plugin=policy"],
    });
    const archive = `${namespace.folder}/small.tar`;
    await writeImageArchive(archive, "small", [shellLayer]);
    await docker("load", "--input", archive);
  });
  afterAll(() => namespace?.[Symbol.asyncDispose]());

  const docker = (...args: string[]) => dockerd.docker(...args);
  const call = (options: ApiCall) => callApi(dockerd.socketPath, options);
  const run = (...args: string[]) => docker("run", "--rm", "--network=none", ...args);
  const denied = (reason: string) => `authorization denied by plugin policy: ${reason}`;
  const json = { "Content-Type": "application/json" };

  test("what is allowed is done", async () => {
    expect(await run("small", "sh", "-c", "echo done")).toBe("done");
    expect(await run(`--volume=${shared}/a:/v`, "small", "ls", "/v")).toBe("");
    await docker("run", ...idling, "--name=idle", "small", "sleep", "3600");
    expect(await docker("exec", "idle", "cat", "/proc/1/comm")).toBe("sleep");
    await docker("volume", "create", "plain");
    expect(await docker("logs", "idle")).toBe("");
  });

  test("what is forbidden is not, and its user reads why", async () => {
    await expect(run("--privileged", "small", "true")).rejects.toThrow(denied("privileged containers are not allowed"));
    await expect(run("--volume=/etc:/v", "small", "true")).rejects.toThrow(denied('"/etc" of the host'));
    await expect(run(`--volume=${shared}/../..:/v`, "small", "true")).rejects.toThrow(denied(""));
    await expect(run("--mount=type=bind,src=/etc,dst=/v", "small", "true")).rejects.toThrow(denied('"/etc"'));
    await expect(docker("exec", "--privileged", "idle", "true")).rejects.toThrow(denied("privileged commands"));
    const device = ["--opt=type=none", "--opt=o=bind", "--opt=device=/etc"];
    await expect(docker("volume", "create", ...device)).rejects.toThrow(denied('"/etc"'));
    await expect(docker("plugin", "install", "x/y")).rejects.toThrow(denied("nobody may do that here"));
  });

  const privileged = '{"Image":"small","HostConfig":{"Privileged":true}}';
  const create = "/containers/create";
  test.each<[string, ApiCall]>([
    ["in percent-encoding", { path: "/containers/%63reate", body: privileged }],
    ["with an encoded slash", { path: "/containers%2Fcreate", body: privileged }],
    ["by an absolute URI", { path: "http://docker/containers/create", body: privileged }],
    ["in names of another case", { path: create, body: privileged.toLowerCase().replace("image", "Image") }],
    ["in names that fold", { path: create, body: privileged.replace("HostConfig", "HoſtConfig") }],
    ["twice", { path: create, body: privileged.replace(/}$/, ',"HostConfig":{}}') }],
    ["twice in two cases", { path: create, body: privileged.replace(/}$/, ',"hostconfig":{}}') }],
    ["beside HostConfig", { path: create, body: '{"Image":"small","Privileged":true}' }],
    [
      "with more than the plugin is shown",
      { path: create, body: privileged.replace("{", `{"a":"${"x".repeat(2 ** 20)}",`), chunked: true },
    ],
  ])("it is not to be had %s", async (_, options) => {
    const { status, message } = await call({ ...options, headers: json });
    expect({ status, message }).toEqual({ status: 403, message: expect.stringContaining("denied by plugin policy") });
  });

  test("it is not to be had in chunks, or with a body of no type", async () => {
    const chunked = await call({ path: create, body: privileged, headers: json, chunked: true });
    expect(chunked.message).toContain("denied by plugin policy");
    const { status } = await call({ path: create, body: privileged });
    expect(status).toBe(403);
  });

  test("paths that Docker cleans do not get past it", async () => {
    for (const path of ["//containers/create", "/v1.41/../containers/create", "/containers/./create"]) {
      expect(await call({ path, body: privileged, headers: json })).toMatchObject({ status: 301 });
    }
  });

  // Docker looks for a plugin that is not there for 15 s.
  test.runIf(atNight)("while the plugin is dead nobody does anything; with it the engine is back", async () => {
    await plugin.end("SIGKILL");
    const ping = await call({ method: "GET", path: "/info" });
    expect(ping).toMatchObject({ status: 500, message: expect.stringContaining("plugin policy failed") });
    await plugin.start();
    expect(await run("small", "sh", "-c", "echo back")).toBe("back");
    await expect(run("--privileged", "small", "true")).rejects.toThrow(denied(""));
  });
}
