import { connectContainerd, type Containerd as Client } from "../../../src/containerd/index.ts";
import type { Namespace } from "../namespaces/namespace.ts";
import { type Containerd, type ContainerdOptions, startContainerd } from "./containerd.ts";

/** A containerd, and Cleat's client of its API, in the namespace of tests. */
export interface ContainerdWithClient extends AsyncDisposable, Pick<Containerd, "socket"> {
  readonly client: Client;
  /** Runs `ctr` in that namespace, and returns what it printed. */
  ctr(...args: string[]): Promise<string>;
}

/** The namespace of containerd's that tests of the client work in. */
export const testNamespace = "test";

export async function startContainerdWithClient(
  namespace: Namespace,
  options: Partial<ContainerdOptions> = {},
): Promise<ContainerdWithClient> {
  const containerd = await startContainerd(namespace, { proxies: [], ...options });
  const client = connectContainerd({ socket: namespace.reach(containerd.socket), namespace: testNamespace });
  return {
    socket: containerd.socket,
    client,
    ctr: (...args) => containerd.ctr(testNamespace, ...args),
    async [Symbol.asyncDispose]() {
      await client.close();
      await containerd.end("SIGTERM");
    },
  };
}
