/** containerd's collector removes what a snapshotter lists and it has no name for: two names for one lose all to it. */
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  type ConfiguredContainerd,
  configureContainerd,
  containerdReleases,
} from "../harness/containerd/configured-containerd.ts";
import { startSnapshotter } from "../harness/containerd/snapshotter.ts";
import { type Namespace, openNamespace } from "../harness/namespaces/namespace.ts";
import { describeWith } from "../needs.ts";

for (const { release, needs, title } of containerdReleases) {
  describeWith(needs, `a second name for one snapshotter in ${title}`, () => {
    let namespace: Namespace;
    let containerd: ConfiguredContainerd;
    beforeEach(async () => {
      namespace = await openNamespace(release);
      containerd = await configureContainerd(namespace);
    });
    afterEach(() => namespace[Symbol.asyncDispose]());

    it("is refused, also once Cleat is started again, and the first loses nothing", async () => {
      const cleat = await startSnapshotter(namespace, { name: "cleat", driver: "overlay2" });
      const proxies = ["cleat", "other"].map(
        (name) => `[proxy_plugins.${name}]\ntype = "snapshot"\naddress = "${cleat.socket}"\n`,
      );
      await containerd.writeConfig(`version = 2\n${proxies.join("")}`);
      await containerd.start();
      const { address } = containerd;
      const snapshots = (name: string, ...what: string[]) =>
        namespace.run(["ctr", "--address", address, "snapshots", "--snapshotter", name, ...what]);
      await snapshots("cleat", "prepare", "key");
      await snapshots("cleat", "commit", "layer", "key");
      await snapshots("cleat", "prepare", "container", "layer");
      const before = await snapshots("cleat", "ls");
      await expect(snapshots("other", "prepare", "key")).rejects.toThrow('these are the snapshots of "cleat"');
      await cleat.end("SIGKILL");
      await cleat.start();
      await expect
        .poll(() => snapshots("other", "prepare", "key").catch(String), { timeout: 20_000 })
        .toContain('these are the snapshots of "cleat"');
      expect(await snapshots("cleat", "ls")).toBe(before);
    });
  });
}
