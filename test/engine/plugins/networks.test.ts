/** Docker with networks whose links and addresses are plugins': two of the examples, which do their real work. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { nothing, openPluginNetworks, type PluginNetworks } from "../../harness/engines/plugin-networks.ts";
import { type EngineRelease, forky, machine, titleOf, trixie } from "../../harness/namespaces/release.ts";
import { atNight, byDayOrNight } from "../../night.ts";

const onNight = test.runIf(atNight);
const releases = byDayOrNight([machine], [machine, trixie, forky]);

for (const release of releases) {
  const required = [...needsOf(release, "docker"), needs.overlay, needs.busybox, needs.ip];
  describeWith(required, `networks of ${titleOf(release, "docker")} on plugins`, () => withNetworksOf(release));
}

function withNetworksOf(release: EngineRelease): void {
  let engine: PluginNetworks;
  beforeAll(async () => {
    engine = await openPluginNetworks(release);
  });
  afterAll(() => engine?.[Symbol.asyncDispose]());

  const docker = (...args: string[]) => engine.docker(...args);
  const createNetwork = (name: string, ...options: string[]) =>
    docker("network", "create", "--driver=bridges", "--ipam-driver=ledger", ...options, name);
  const keepRunning = (name: string, network: string, ...options: string[]) =>
    docker(
      "run",
      "--detach",
      "--stop-signal=SIGKILL",
      `--network=${network}`,
      `--name=${name}`,
      ...options,
      "small",
      "sleep",
      "3600",
    );
  const addressOf = (name: string, network: string) =>
    docker("inspect", "--format", `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, name);
  const ping = (name: string, address: string) => docker("exec", name, "busybox", "ping", "-c1", "-W2", address);
  const remove = (...names: string[]) => docker("rm", "--force", ...names);

  test("two containers reach each other by addresses of the pool, and nothing is left when they are gone", async () => {
    await createNetwork("blue", "--subnet=10.7.0.0/24", "--aux-address=printer=10.7.0.3");
    await keepRunning("one", "blue");
    await keepRunning("two", "blue", "--ip=10.7.0.99");
    expect([await addressOf("one", "blue"), await addressOf("two", "blue")]).toEqual(["10.7.0.2", "10.7.0.99"]);
    expect(await ping("one", "10.7.0.99")).toContain("1 packets received");
    expect(await ping("two", "10.7.0.1")).toContain("1 packets received"); // the bridge
    expect(await engine.held()).toEqual({
      bridges: 1,
      pairs: 2, // the other ends are the containers'
      addresses: { "10.7.0.0/24": ["10.7.0.1", "10.7.0.2", "10.7.0.3", "10.7.0.99"] },
      networks: 1,
      endpoints: 2,
    });
    const [inspected] = JSON.parse(await docker("network", "inspect", "blue")) as [
      { IPAM: object; Containers: object },
    ];
    expect(inspected.IPAM).toMatchObject({ Driver: "ledger", Config: [{ Subnet: "10.7.0.0/24" }] });
    expect(Object.keys(inspected.Containers)).toHaveLength(2);
    await remove("one", "two");
    await docker("network", "rm", "blue");
    expect(await engine.held()).toEqual(nothing);
  });

  onNight("a container joins a second network and leaves it", async () => {
    await createNetwork("blue");
    await createNetwork("green");
    await keepRunning("one", "blue");
    await keepRunning("two", "green");
    await docker("network", "connect", "green", "one");
    expect(await ping("one", await addressOf("two", "green"))).toContain("1 packets received");
    await docker("network", "disconnect", "green", "one");
    expect(await docker("exec", "one", "busybox", "ip", "address")).not.toContain("10.200.1.");
    expect(await engine.held()).toMatchObject({
      pairs: 2,
      addresses: { "10.200.0.0/24": ["10.200.0.1", "10.200.0.2"], "10.200.1.0/24": ["10.200.1.1", "10.200.1.2"] },
      endpoints: 2,
    });
    await remove("one", "two");
    await docker("network", "rm", "blue", "green");
    expect(await engine.held()).toEqual(nothing);
  });

  onNight("Docker's user reads why a plugin refuses, and nothing is left of what was refused", async () => {
    await expect(createNetwork("red", "--opt=color=red")).rejects.toThrow('option "color" is not known');
    await expect(createNetwork("red", "--subnet=10.8.0.0/24", "--gateway=10.9.0.1")).rejects.toThrow();
    await createNetwork("blue", "--subnet=10.7.0.0/24");
    await expect(createNetwork("red", "--subnet=10.7.0.0/16")).rejects.toThrow(
      "pool 10.7.0.0/16 overlaps one that is given",
    );
    await expect(keepRunning("one", "blue", "--ip=10.7.0.1")).rejects.toThrow("10.7.0.1");
    await docker("rm", "--force", "one");
    await expect(keepRunning("one", "blue", "--publish=8080:80")).rejects.toThrow("ports are not published here");
    await remove("one");
    await docker("network", "rm", "blue");
    expect(await engine.held()).toEqual(nothing);
  });

  test("plugins that were killed find their networks and addresses again", async () => {
    await createNetwork("blue");
    await keepRunning("one", "blue");
    const before = await engine.held();
    for (const plugin of Object.values(engine.plugins)) await plugin.end("SIGKILL");
    for (const plugin of Object.values(engine.plugins)) await plugin.start();
    expect(await engine.held()).toEqual(before);
    await keepRunning("two", "blue");
    expect(await addressOf("two", "blue")).toBe("10.200.0.3"); // and not the one that the first has
    expect(await ping("two", "10.200.0.2")).toContain("1 packets received");
    await remove("one", "two");
    await docker("network", "rm", "blue");
    expect(await engine.held()).toEqual(nothing);
  });

  onNight("a bridge that the host lost is made anew when the plugin starts, and a stray link goes", async () => {
    await createNetwork("blue");
    const { bridges } = await engine.links();
    await engine.plugins.bridges.end("SIGKILL");
    await engine.namespace.run(["busybox", "ip", "link", "delete", bridges[0] as string]);
    await engine.namespace.run(["busybox", "ip", "link", "add", "name", "cb-stray", "type", "bridge"]);
    await engine.plugins.bridges.start();
    expect(await engine.links()).toEqual({ bridges, pairs: [] });
    await keepRunning("one", "blue");
    expect(await ping("one", "10.200.0.1")).toContain("1 packets received");
    await remove("one");
    await docker("network", "rm", "blue");
    expect(await engine.held()).toEqual(nothing);
  });

  const signals = byDayOrNight<"SIGTERM" | "SIGKILL">([], ["SIGTERM", "SIGKILL"]);
  test.each(signals)("a daemon that got %s finds its networks, and gives back what containers had", async (signal) => {
    await createNetwork("blue");
    await keepRunning("one", "blue");
    const told = signal === "SIGTERM"; // then the daemon stops its containers first
    await engine.dockerd.end(signal);
    await engine.dockerd.start();
    // Of what ended without Docker a plugin hears that its address is free, and nothing of the endpoint.
    const addresses = { "10.200.0.0/24": ["10.200.0.1"] };
    expect(await engine.held()).toEqual({ bridges: 1, pairs: 0, addresses, networks: 1, endpoints: told ? 0 : 1 });
    await docker("start", "one");
    expect(await ping("one", "10.200.0.1")).toContain("1 packets received");
    await remove("one");
    await docker("network", "rm", "blue");
    expect(await engine.held()).toEqual(nothing);
  });

  onNight("containers outlive the daemon with what they have", async () => {
    await createNetwork("blue");
    await engine.dockerd.end("SIGTERM");
    await engine.dockerd.start({ liveRestore: true });
    await keepRunning("one", "blue");
    const before = await engine.held();
    await engine.dockerd.end("SIGKILL");
    for (const plugin of Object.values(engine.plugins)) await plugin.end("SIGKILL");
    for (const plugin of Object.values(engine.plugins)) await plugin.start();
    await engine.dockerd.start({ liveRestore: true });
    expect(await engine.held()).toEqual(before);
    await keepRunning("two", "blue");
    expect(await ping("two", await addressOf("one", "blue"))).toContain("1 packets received");
    await remove("one", "two");
    await docker("network", "rm", "blue");
    expect(await engine.held()).toEqual(nothing);
  });

  onNight("a network without a way out has no gateway", async () => {
    await createNetwork("inner", "--internal");
    await keepRunning("one", "inner");
    expect(await docker("exec", "one", "busybox", "ip", "route")).not.toContain("default");
    await remove("one");
    await docker("network", "rm", "inner");
    expect(await engine.held()).toEqual(nothing);
  });
}
