import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { diffService, namespaceHeader } from "../../containerd/index.ts";
import { createGrpcChannel, createGrpcClient, serveGrpc } from "../../grpc/index.ts";
import { openDiffService } from "./diff-service.ts";

it("the differ touches nothing in a folder that has come to stand in its root's place", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cleat-differ-"));
  const [root, socket] = ["root", "s.sock"].map((name) => join(folder, name)) as [string, string];
  await mkdir(join(root, "dir/1"), { recursive: true });
  const differ = await openDiffService({ root, containerd: join(folder, "none.sock"), apply: true });
  const server = await serveGrpc({
    services: [differ.service],
    async listen(listener) {
      await once(listener.listen(socket), "listening");
      return { address: socket, remove: async () => {} };
    },
    close: () => differ.close(),
  });
  const channel = createGrpcChannel({ unix: socket });
  try {
    const client = createGrpcClient(diffService, channel);
    const metadata = { [namespaceHeader]: "test" };
    const mounts = [{ type: "bind", source: join(root, "dir/1"), target: "", options: ["rbind", "rw"] }];
    const blob = {
      media_type: "application/vnd.oci.image.layer.v1.tar",
      digest: `sha256:${"0".repeat(64)}`,
      size: 1n,
    };
    const apply = () => client.apply({ diff: blob, mounts }, { metadata });
    const diff = () => client.diff({ left: [], right: mounts }, { metadata });
    // Of the root that was opened: nobody has the blob.
    await expect(apply()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await rename(root, join(folder, "moved"));
    await mkdir(join(root, "dir/1"), { recursive: true });
    const refused = { code: "FAILED_PRECONDITION", message: expect.stringContaining("is not the folder any more") };
    await expect(apply()).rejects.toMatchObject(refused);
    await expect(diff()).rejects.toMatchObject(refused);
    expect(await readdir(join(root, "dir/1"))).toEqual([]);
  } finally {
    await channel.close();
    await server.close();
    await rm(folder, { recursive: true });
  }
});
