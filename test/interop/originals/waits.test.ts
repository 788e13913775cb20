/**
 * How long a plugin that is missing, dead or hung holds up a host: moby's own, run here, and Cleat's. The numbers are
 * those of the defects in moby v20.10.24 `pkg/plugins`.
 */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PluginNotFoundError } from "../../../src/errors/index.ts";
import { volumeDriverProtocol } from "../../../src/protocol/index.ts";
import { describeWith, needs } from "../../needs.ts";
import { answeringAs, implementing, type PeerAnswer, startPeer } from "./peer.ts";
import { useOriginal } from "./program.ts";
import { openTwoHosts } from "./two-hosts.ts";
import { timed } from "../../patience.ts";

const silence: PeerAnswer = () => {};

/** 1, 2, 4 and 8 s: moby's pauses until the next would pass 30 s. */
const originalPausesSeconds = 15;

describeWith([needs.go, needs.mobySource], "a host and plugins that do not answer", () => {
  const program = useOriginal();

  test.concurrent("U2: a plugin that accepts and never answers blocks everyone; here nobody else", async () => {
    await using hosts = await openTwoHosts({ program: program(), policy: { timeoutMs: 1_000 } });
    const { original, registry } = hosts;
    await hosts.startPlugin("well");
    const hung = await hosts.startPlugin("hung", silence);

    const stuck = original.get("hung", "VolumeDriver");
    await hung.called("/Plugin.Activate");
    expect(await original.get("well", "VolumeDriver")).toMatchObject({ error: undefined });
    const handle = original.handle("VolumeDriver");
    expect(await firstWithin(5_000, stuck, handle)).toBe("none");
    expect(await firstWithin(5_000, stuck, handle, original.get("well", "VolumeDriver"))).toBe("none");

    const waiting = registry.get("hung", volumeDriverProtocol);
    const givingUp = registry.get("hung", volumeDriverProtocol, { signal: AbortSignal.timeout(50) });
    const handled: string[] = [];
    registry.handle(volumeDriverProtocol, ({ name }) => handled.push(name));
    await expect(givingUp).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await firstWithin(0, waiting)).toBe("none");
    await registry.get("well", volumeDriverProtocol);
    expect(handled).toEqual(["well"]);
    await expect(waiting).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  test.concurrent(
    "U3: a missing plugin costs each look-up 15 s; here as much as the caller chooses",
    timed,
    async () => {
      await using hosts = await openTwoHosts({ program: program() });
      const { sockets, original, registry } = hosts;
      const lookUps = await Promise.all([
        original.get("missing", "VolumeDriver"),
        original.get("gone", "VolumeDriver"),
      ]);
      for (const { error, seconds } of lookUps) {
        expect(error).toMatch(/plugin not found/);
        expect(seconds).toBeGreaterThan(originalPausesSeconds - 1);
      }

      const startMs = performance.now();
      const missing = registry.get("missing", volumeDriverProtocol);
      await expect(missing).rejects.toThrow(PluginNotFoundError);
      await expect(missing).rejects.toThrow(join(sockets, "missing.sock"));
      expect(performance.now() - startMs).toBeLessThan(1_000);
      const waiting = registry.get("missing", volumeDriverProtocol, { waitMs: 10_000 });
      await hosts.startPlugin("missing");
      expect((await waiting).implements).toEqual(["VolumeDriver"]);
    },
  );

  test.concurrent("U3: a dead socket costs each listing 15 s; here no time, and it is said apart", timed, async () => {
    await using hosts = await openTwoHosts({ program: program() });
    const { sockets, original, registry } = hosts;
    await hosts.startPlugin("well");
    await leaveDeadSocket(join(sockets, "dead.sock"));
    const listing = await original.getAll("VolumeDriver");
    expect(listing.value).toEqual(["well"]);
    expect(listing.seconds).toBeGreaterThan(originalPausesSeconds - 1);

    const startMs = performance.now();
    const { plugins, failures } = await registry.getAll(volumeDriverProtocol);
    expect(performance.now() - startMs).toBeLessThan(1_000);
    expect(plugins.map(({ name }) => name)).toEqual(["well"]);
    expect(failures).toMatchObject([{ name: "dead", error: { code: "UNAVAILABLE" } }]);
    await expect(registry.get("dead", volumeDriverProtocol)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  test.concurrent("U3: a plugin that fails is asked again and again; here it is left alone for a while", async () => {
    await using hosts = await openTwoHosts({ program: program(), policy: { breaker: { failures: 3 } } });
    const { original, registry } = hosts;
    const failing = answeringAs(implementing("VolumeDriver"), (_call, response) => response.destroy());
    const path = "/VolumeDriver.Path";
    const asked = ({ calls }: { calls: readonly { url: string }[] }) => calls.filter(({ url }) => url === path).length;
    {
      await using peer = await hosts.startPlugin("failing", failing);
      const { error } = await original.call("failing", "VolumeDriver", "VolumeDriver.Path", { Name: "v" });
      expect(error).toMatch(/EOF/);
      expect(asked(peer)).toBe(5);
    }
    await using peer = await hosts.startPlugin("failing", failing);
    const { client } = await registry.get("failing", volumeDriverProtocol);
    for (let call = 0; call < 10; call++) {
      await expect(client.path({ Name: "v" })).rejects.toMatchObject({ code: "UNAVAILABLE" });
    }
    expect(asked(peer)).toBe(3);
  });
});

/** Which of `promises` settles first, by its place; "none" when none does in time. */
async function firstWithin(timeoutMs: number, ...promises: readonly Promise<unknown>[]): Promise<number | "none"> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"none">((resolve) => (timer = setTimeout(() => resolve("none"), timeoutMs)));
  const settled = promises.map((promise, place) =>
    promise.then(
      () => place,
      () => place,
    ),
  );
  return Promise.race([...settled, late]).finally(() => clearTimeout(timer));
}

/** What a plugin leaves that is killed: a socket on which nobody listens. */
async function leaveDeadSocket(path: string): Promise<void> {
  const alive = await startPeer({ listen: { path: `${path}.alive` } });
  await rename(`${path}.alive`, path); // closing removes the socket by its first name only
  await alive[Symbol.asyncDispose]();
}
