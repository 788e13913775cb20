/** Kubernetes' side of containerd on Cleat's snapshotter: what a kubelet asks, in a pod of the host's network. */
import { mkdir } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, needs, needsOf } from "../../needs.ts";
import { type Containerd, containerdRoot, pauseImage, startContainerd } from "../../harness/containerd/containerd.ts";
import { type Cri, hostNetworkPod, openCri } from "../../harness/containerd/cri.ts";
import { shellLayer, writeImageArchive } from "../../harness/images/image-archive.ts";
import { layeredImage, writeLayeredArchive } from "../../harness/images/layered-image.ts";
import { openNamespace, type Namespace } from "../../harness/namespaces/namespace.ts";
import { registryAddress, startRegistry } from "../../harness/engines/registry.ts";
import { titleOf } from "../../harness/namespaces/release.ts";
import { nothingLeft, snapshotterLeftovers } from "../../harness/containerd/snapshotter-leftovers.ts";
import { criRows } from "../../harness/containerd/snapshotter-rows.ts";
import { startSnapshotter, type SnapshotterProcess } from "../../harness/containerd/snapshotter.ts";
import { until } from "../../harness/processes/until.ts";

const image = `${registryAddress}/layered:latest`;
/** The namespace of Kubernetes' side in containerd. */
const space = "k8s.io";

for (const { release, driver, fileSystem, needs: own } of criRows) {
  const required = [
    ...needsOf(release, "containerd"),
    needs.registry,
    needs.overlay,
    needs.busybox,
    needs.attr,
    ...own,
  ];
  describeWith(required, `CRI of ${titleOf(release, "containerd")} on ${driver ?? "its own overlayfs"}`, () => {
    let namespace: Namespace;
    let cleat: SnapshotterProcess | undefined;
    let containerd: Containerd;
    let cri: Cri;
    let container: string;
    let pod: string;
    let snapshotter: string;
    let root: string;

    beforeAll(async () => {
      namespace = await openNamespace(release);
      const { folder } = namespace;
      snapshotter = driver === undefined ? "overlayfs" : "cleat";
      // containerd 1.6 takes this for the folder of any snapshotter.
      root = `${containerdRoot(namespace)}/io.containerd.snapshotter.v1.${snapshotter}`;
      await mkdir(containerdRoot(namespace));
      // Pods get a copy; where packages are only unpacked there is none.
      await namespace.run(["sh", "-c", "[ -e /etc/hosts ] || touch /etc/hosts"]);
      await startRegistry(namespace);
      if (driver !== undefined)
        cleat = await startSnapshotter(namespace, { name: snapshotter, driver, root, fileSystem });
      const proxies = cleat === undefined ? [] : [cleat];
      containerd = await startContainerd(namespace, { proxies, criSnapshotter: snapshotter });
      await writeLayeredArchive(`${folder}/layered.tar`);
      await writeImageArchive(`${folder}/pause.tar`, pauseImage.replace(/:.*/, ""), [shellLayer], ["sleep", "3600"]);
      await containerd.ctr("outside", "images", "import", "--no-unpack", `${folder}/layered.tar`);
      await containerd.ctr("outside", "images", "push", "--plain-http", image, layeredImage);
      await containerd.ctr(space, "images", "import", `--snapshotter=${snapshotter}`, `${folder}/pause.tar`);
      cri = openCri(namespace.reach(containerd.socket));
    });
    afterAll(async () => {
      await cri?.[Symbol.asyncDispose]();
      await namespace?.[Symbol.asyncDispose]();
    });

    const exec = async (script: string) => {
      const request = { container_id: container, cmd: ["sh", "-c", script], timeout: 20n };
      const { stdout, exit_code } = await cri.runtime.execSync(request);
      return `${Buffer.from(stdout).toString()}${exit_code === 0 ? "" : `exit code ${exit_code}`}`;
    };

    /** The sum of what `ctr` says of each snapshot. */
    async function usedBytes(): Promise<number> {
      const rows = (await containerd.ctr(space, "snapshots", `--snapshotter=${snapshotter}`, "usage", "-b")).split(
        "\n",
      );
      return rows.slice(1).reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[1]), 0);
    }

    test("an image is pulled from a registry", async () => {
      const { image_ref } = await cri.images.pullImage({ image: { image } });
      expect(image_ref).toMatch(/^sha256:[0-9a-f]{64}$/);
    });

    test("a pod runs a container of it", async () => {
      const config = hostNetworkPod("pod", namespace.controlGroup, `${namespace.folder}/logs`);
      pod = (await cri.runtime.runPodSandbox({ config })).pod_sandbox_id;
      container = (
        await cri.runtime.createContainer({
          pod_sandbox_id: pod,
          config: {
            metadata: { name: "idle" },
            image: { image },
            command: ["sleep", "3600"],
            log_path: "idle.log",
            linux: { security_context: { namespace_options: { network: "NODE" } } },
          },
          sandbox_config: config,
        })
      ).container_id;
      await cri.runtime.startContainer({ container_id: container });
      expect(await containerd.ctr(space, "snapshots", `--snapshotter=${snapshotter}`, "ls")).toContain(container);
      expect(await exec("cat /layers/replaced/two; ls /layers/replaced")).toBe("replaced/two\nfresh\ntwo\n");
    });

    test("the file system of the images is the snapshotter's, and as full as its snapshots are large", async () => {
      const expected = await usedBytes();
      expect(expected).toBeGreaterThan(3_000_000);
      await until("statistics to be collected", async () => {
        const { image_filesystems: all } = await cri.images.imageFsInfo({});
        expect(all).toHaveLength(1);
        expect(all[0]?.fs_id?.mountpoint).toBe(root);
        return Number(all[0]?.used_bytes?.value) === expected || undefined;
      });
    });

    test("a container's layer grows by what it writes", async () => {
      const layerSize = async () => {
        const { stats } = await cri.runtime.containerStats({ container_id: container });
        return Number(stats?.writable_layer?.used_bytes?.value ?? 0);
      };
      const before = await layerSize(); // of vfs it is a whole copy
      expect(await exec("head -c 1000000 /dev/zero > /data/million")).toBe("");
      await until("statistics to be collected", async () => (await layerSize()) >= before + 1_000_000 || undefined);
      expect(await layerSize()).toBeLessThan(before + 1_100_000);
    });

    if (driver !== undefined)
      test("the pod goes on while Cleat is away, and Cleat knows its layer again", async () => {
        await cleat?.end("SIGKILL");
        expect(await exec("echo away > /data/word; cat /data/word")).toBe("away\n");
        await cleat?.start();
        await until("containerd to reach Cleat again", () =>
          usedBytes().then(
            () => true,
            () => undefined,
          ),
        );
        expect(await exec("cat /data/word")).toBe("away\n");
      });

    test("nothing is left when pod and images are removed", async () => {
      await cri.runtime.stopPodSandbox({ pod_sandbox_id: pod });
      await cri.runtime.removeContainer({ container_id: container });
      await cri.runtime.removePodSandbox({ pod_sandbox_id: pod });
      for (const one of [image, pauseImage]) await cri.images.removeImage({ image: { image: one } });
      await until("containerd to have collected everything", async () =>
        (await usedBytes()) === 0 ? true : undefined,
      );
      if (cleat !== undefined) expect(await snapshotterLeftovers(namespace, cleat)).toEqual(nothingLeft);
    });
  });
}
