import { connectContainerd, type Containerd as Client } from "../../src/containerd/index.ts";
import { startContainerd } from "./containerd.ts";
import type { Namespace } from "./namespace.ts";

/** A containerd without snapshotters of anybody else's, and Cleat's client of its API. */
export interface ContainerdWithClient extends AsyncDisposable {
  readonly client: Client;
}

/** The namespace of containerd's that tests of the client work in. */
export const testNamespace = "test";

export async function startContainerdWithClient(namespace: Namespace): Promise<ContainerdWithClient> {
  const containerd = await startContainerd(namespace, { proxies: [] });
  const client = connectContainerd({ socket: namespace.reach(containerd.socket), namespace: testNamespace });
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await containerd.end("SIGTERM");
    },
  };
}
