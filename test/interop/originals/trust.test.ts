/**
 * Whom moby's own host (v20.10.24 `pkg/plugins`), run here, takes for a plugin; and Cleat's.
 *
 * U5 (a TLS plugin whose spec file says `tcp://`) and U9 (limits, spec files and broken streams of servers) are defects
 * of docker/go-plugins-helpers, which Debian does not package: `src/plugin` and `src/transport` test our side.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createDiscovery, pluginLocations } from "../../../src/host/index.ts";
import { volumeDriverProtocol } from "../../../src/protocol/index.ts";
import { silentLogger } from "../../../src/transport/index.ts";
import { describeWith, needs } from "../../needs.ts";
import { implementing, startPeer } from "./peer.ts";
import { useOriginal } from "./program.ts";
import { openTwoHosts } from "./two-hosts.ts";

describeWith([needs.go, needs.mobySource], "a host and who calls itself a plugin", () => {
  const program = useOriginal();

  test.each([
    ["a .spec", "spec", (addr: string) => addr],
    ["a .json without CAFile", "json", (addr: string) => JSON.stringify({ Name: "p", Addr: addr, TLSConfig: {} })],
  ])("U4: anybody may answer for the https address of %s; here only who can prove it", async (_title, ext, content) => {
    const warnings: unknown[] = [];
    const logger = { ...silentLogger, warn: (...entry: unknown[]) => void warnings.push(entry) };
    await using hosts = await openTwoHosts({ program: program(), logger });
    const { sockets, specs, original, registry } = hosts;
    await using impostor = await startPeer({
      listen: { host: "127.0.0.1", port: 0 },
      tls: await certificateOf("somebody-else.invalid", sockets),
    });
    const addr = `https://127.0.0.1:${impostor.port()}`;
    await writeFile(join(specs, `p.${ext}`), content(addr));
    expect(await original.get("p", "VolumeDriver")).toMatchObject({ error: undefined });
    expect(impostor.calls).toHaveLength(1);

    await expect(registry.get("p", volumeDriverProtocol)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    expect(impostor.calls).toHaveLength(1);
    expect(warnings).toEqual([]);

    await rm(join(specs, `p.${ext}`));
    const blind = JSON.stringify({ Name: "p", Addr: addr, TLSConfig: { InsecureSkipVerify: true } });
    await writeFile(join(specs, "p.json"), blind);
    await registry.get("p", volumeDriverProtocol);
    expect(impostor.calls).toHaveLength(2);
    expect(warnings).not.toEqual([]);
  });

  test("U6: a name leads out of the folder of plugins; here it is refused", async () => {
    await using hosts = await openTwoHosts({ program: program() });
    const { sockets, original, registry } = hosts;
    const elsewhere = join(sockets, "../elsewhere");
    await mkdir(elsewhere);
    await using peer = await startPeer({ listen: { path: join(elsewhere, "x.sock") } });
    expect(await original.get("../elsewhere/x", "VolumeDriver")).toMatchObject({ error: undefined });
    expect(peer.calls).toHaveLength(1);

    const lookUp = registry.get("../elsewhere/x", volumeDriverProtocol);
    await expect(lookUp).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(peer.calls).toHaveLength(1);
  });

  test("U12: another program at the same address inherits the trust; here it is asked who it is", async () => {
    await using hosts = await openTwoHosts({ program: program() });
    const { original, registry } = hosts;
    const volumes = await hosts.startPlugin("p");
    await original.get("p", "VolumeDriver");
    const held = await registry.get("p", volumeDriverProtocol);
    await held.client.path({ Name: "v" });
    await volumes[Symbol.asyncDispose]();
    const stranger = await hosts.startPlugin("p", implementing("NetworkDriver"));
    const call = await original.call("p", "VolumeDriver", "VolumeDriver.Path", { Name: "v" });
    expect(call.error).toBeUndefined();
    expect(stranger.calls.map(({ url }) => url)).toEqual(["/VolumeDriver.Path"]);

    await expect(held.client.path({ Name: "v" })).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
    await expect(registry.get("p", volumeDriverProtocol)).rejects.toThrow(/implements NetworkDriver/);
    expect(stranger.calls.slice(1).every(({ url }) => url === "/Plugin.Activate")).toBe(true);
  });
});

/**
 * Without moby's side: v20.10.24 has no rootless folders, and v26.1.0, which has, never takes the one for spec files.
 */
test("U7: the folders of a rootless host are looked into, for sockets and for spec files", async () => {
  const home = await mkdtemp(join(tmpdir(), "cleat-"));
  try {
    const env = { HOME: home, XDG_RUNTIME_DIR: join(home, "run"), XDG_CONFIG_HOME: join(home, "config") };
    const socket = join(env.XDG_RUNTIME_DIR, "docker/plugins/socket.sock");
    const spec = join(env.XDG_CONFIG_HOME, "docker/plugins/spec.spec");
    for (const path of [socket, spec]) await mkdir(dirname(path), { recursive: true });
    await using peer = await startPeer({ listen: { path: socket } });
    await writeFile(spec, "tcp://127.0.0.1:1");
    const discovery = createDiscovery(pluginLocations({ env, uid: 1000 }));
    expect((await discovery.find("socket")).path).toBe(socket);
    expect((await discovery.find("spec")).path).toBe(spec);
    expect(peer.calls).toEqual([]);
  } finally {
    await rm(home, { recursive: true });
  }
});

/** Made by the program that comes with Go's standard library, in `folder`. */
async function certificateOf(host: string, folder: string): Promise<{ cert: string; key: string }> {
  const run = promisify(execFile);
  const goRoot = (await run("go", ["env", "GOROOT"])).stdout.trim();
  const generator = join(goRoot, "src/crypto/tls/generate_cert.go");
  await run("go", ["run", generator, "--host", host, "--ecdsa-curve", "P256", "--duration", "1h"], { cwd: folder });
  const read = (name: string) => readFile(join(folder, name), "utf8");
  return { cert: await read("cert.pem"), key: await read("key.pem") };
}
