/**
 * containerd's collector removes what a snapshotter lists and it has no name for: what two share in another way than by
 * namespaces each loses to the other.
 */
import { writeFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  type ConfiguredContainerd,
  configureContainerd,
  containerdReleases,
} from "../../harness/containerd/configured-containerd.ts";
import { type SnapshotterProcess, startSnapshotter } from "../../harness/containerd/snapshotter.ts";
import { untilReady } from "../../harness/processes/daemon.ts";
import { type Namespace, openNamespace } from "../../harness/namespaces/namespace.ts";
import { describeWith } from "../../needs.ts";

/** containerd calls a server that was away only when its own patience is over, by each name for itself. */
const reconnected = (call: () => Promise<string>) => expect.poll(() => call().catch(String), { timeout: 120_000 });

for (const { release, needs, title } of containerdReleases) {
  describeWith(needs, `of one snapshotter, for ${title},`, () => {
    let namespace: Namespace;
    let containerd: ConfiguredContainerd;
    let cleat: SnapshotterProcess;
    beforeEach(async () => {
      namespace = await openNamespace(release);
      containerd = await configureContainerd(namespace);
      cleat = await startSnapshotter(namespace, { name: "cleat", driver: "overlay2" });
    });
    afterEach(() => namespace[Symbol.asyncDispose]());

    const configFor = (...names: string[]) =>
      ["version = 2", ...names.flatMap((name) => [`[proxy_plugins.${name}]`, 'type = "snapshot"', address()])].join(
        "\n",
      );
    const address = () => `address = "${cleat.socket}"`;
    const snapshotsOf =
      (socket: string, name: string) =>
      (...what: string[]) =>
        namespace.run(["ctr", "--address", socket, "snapshots", "--snapshotter", name, ...what]);

    it("a second name is refused, also once Cleat is started again, and the first loses nothing", async () => {
      await containerd.writeConfig(configFor("cleat", "other"));
      await containerd.start();
      const snapshots = (name: string, ...what: string[]) => snapshotsOf(containerd.address, name)(...what);
      await snapshots("cleat", "prepare", "key");
      await snapshots("cleat", "commit", "layer", "key");
      await snapshots("cleat", "prepare", "container", "layer");
      const before = await snapshots("cleat", "ls");
      await expect(snapshots("other", "prepare", "key")).rejects.toThrow('these are the snapshots of "cleat"');
      await cleat.end("SIGKILL");
      await cleat.start();
      await reconnected(() => snapshots("other", "prepare", "key")).toContain('these are the snapshots of "cleat"');
      await reconnected(() => snapshots("cleat", "ls")).toBe(before);
    });

    it("a second containerd is refused while the first one runs, also once Cleat is started again", async () => {
      await containerd.writeConfig(configFor("cleat"));
      const first = await containerd.start();
      const ofFirst = snapshotsOf(containerd.address, "cleat");
      await ofFirst("prepare", "key");
      const before = await ofFirst("ls");

      const folder = `${namespace.folder}/second`;
      const socket = `${folder}/containerd.sock`;
      const ofSecond = snapshotsOf(socket, "cleat");
      await namespace.run(["mkdir", folder]);
      await writeFile(`${folder}/config.toml`, configFor("cleat"));
      const where = ["--root", `${folder}/root`, "--state", `${folder}/state`, "--address", socket];
      const second = await namespace.start("second", ["containerd", "--config", `${folder}/config.toml`, ...where]);
      const prepare = () => ofSecond("prepare", "key").then(() => "prepared", String);
      await untilReady(second, "containerd to ask the snapshotter", async () =>
        (await prepare()).includes("these are the snapshots of process"),
      );
      expect(await ofFirst("ls")).toBe(before);
      await cleat.end("SIGKILL");
      await cleat.start();
      await reconnected(prepare).toContain("these are the snapshots of process");
      await reconnected(() => ofFirst("ls")).toBe(before);
      await first.end("SIGKILL");
      expect(await prepare()).toBe("prepared");
    });
  });
}
