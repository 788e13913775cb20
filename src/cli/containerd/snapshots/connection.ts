import { connectContainerd, type Containerd } from "../../../containerd/index.ts";
import { CleatError } from "../../../errors/index.ts";
import { createGrpcChannel } from "../../../grpc/index.ts";
import { createRemoteSnapshotter, type Snapshotter } from "../../../snapshotter/index.ts";
import { absolute } from "../../serving/options/listen-options.ts";
import type { CommandOptions, CommandContext } from "../../terminal/command.ts";
import { adviseToStart } from "../advise-to-start.ts";
import { assertSnapshotter } from "../assert-snapshotter.ts";
import { defaultContainerdSocket, defaultSnapshotterSocket } from "../../terminal/default-folders.ts";

export const connectionOptions = {
  containerd: {
    type: "string",
    value: "PATH",
    help: "containerd's own socket; default /run/containerd/containerd.sock",
  },
  socket: {
    type: "string",
    value: "PATH",
    help: "where the snapshotter listens; default /run/cleat/snapshotter.sock",
  },
  snapshotter: { type: "string", value: "NAME", help: "what containerd's configuration calls it; default cleat" },
  namespace: { type: "string", value: "NAME", help: "show those of one of containerd's namespaces; default all" },
} as const satisfies CommandOptions;

export interface ConnectionValues {
  readonly containerd?: string | undefined;
  readonly socket?: string | undefined;
  readonly snapshotter?: string | undefined;
  readonly namespace?: string | undefined;
}

/** Both sides of a snapshotter: what containerd knows of it, and what it holds itself. */
export interface SnapshotterConnection extends AsyncDisposable {
  /** What containerd's configuration calls it. */
  readonly snapshotter: string;
  /** The snapshotter itself, whose names are containerd's own: "moby/12/sha256:…". */
  readonly backend: Snapshotter;
  readonly namespaces: readonly NamespaceConnection[];
  /** What a client would see in a namespace that need not be there yet. */
  within(namespace: string): NamespaceConnection;
}

/** What a client sees in one namespace. */
export interface NamespaceConnection {
  readonly namespace: string;
  readonly containerd: Containerd;
  readonly snapshots: Snapshotter;
}

/**
 * @throws TransportError when containerd or the snapshotter does not answer, NOT_FOUND when containerd lacks the
 * namespace, or does not know the snapshotter.
 */
export async function openConnection(
  values: ConnectionValues,
  context: CommandContext,
): Promise<SnapshotterConnection> {
  const { snapshotter = "cleat" } = values;
  const socket = absolute("containerd", values.containerd ?? defaultContainerdSocket);
  const own = absolute("socket", values.socket ?? (await defaultSnapshotterSocket(context)));
  const containerd = connectContainerd({ socket, namespace: "" });
  const channel = createGrpcChannel({ unix: own });
  const close = async () => {
    await Promise.all([containerd.close(), channel.close()]);
  };
  try {
    await assertSnapshotter(containerd, snapshotter);
    const names = await listNamespaces(containerd);
    if (values.namespace !== undefined && !names.includes(values.namespace)) {
      const known = names.join(", ") || "there is none";
      throw new CleatError("NOT_FOUND", `containerd has no namespace "${values.namespace}"; it has: ${known}`);
    }
    await channel.session().catch((error: unknown) => {
      throw adviseToStart(error, "cleat serve snapshotter");
    });
    const within = (namespace: string) => connectNamespace(containerd.within(namespace), snapshotter);
    return {
      snapshotter,
      backend: createRemoteSnapshotter({ channel }),
      // Of all, whichever is asked for: what one does not know another may.
      namespaces: names.map(within),
      within,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listNamespaces({ services }: Containerd): Promise<string[]> {
  const { namespaces } = await services.namespaces.list({});
  return namespaces.map(({ name }) => name).toSorted();
}

function connectNamespace(containerd: Containerd, snapshotter: string): NamespaceConnection {
  const { namespace, channel, metadata } = containerd;
  return { namespace, containerd, snapshots: createRemoteSnapshotter({ channel, metadata, snapshotter }) };
}
