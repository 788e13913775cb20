import {
  createGrpcChannel,
  createGrpcClient,
  type GrpcChannel,
  type GrpcClient,
  type Metadata,
} from "../grpc/index.ts";
import { containersService } from "./services/containers-service.ts";
import { contentService } from "./services/content-service.ts";
import { diffService } from "./services/diff-service.ts";
import { imagesService } from "./services/images-service.ts";
import { introspectionService } from "./services/introspection-service.ts";
import { leasesService } from "./services/leases-service.ts";
import { namespacesService } from "./services/namespaces-service.ts";
import { snapshotsService } from "./services/snapshots-service.ts";
import { versionService } from "./services/version-service.ts";

export interface ContainerdOptions {
  /** Absolute path of containerd's socket; `/run/containerd/containerd.sock` where nothing else is configured. */
  readonly socket: string;
  readonly namespace: string;
}

/** containerd's own API, in one namespace: a client for each of its services that Cleat calls, by name. */
export interface Containerd extends AsyncDisposable {
  readonly namespace: string;
  /** Of every call; for a client of a further service. */
  readonly metadata: Metadata;
  readonly channel: GrpcChannel;
  readonly services: ContainerdServices;
  /** The same connection, in another namespace. It closes with this one. */
  within(namespace: string): Containerd;
  /** Waits for running calls. May be called twice. */
  close(): Promise<void>;
}

export interface ContainerdServices {
  readonly containers: GrpcClient<typeof containersService>;
  readonly content: GrpcClient<typeof contentService>;
  readonly diff: GrpcClient<typeof diffService>;
  readonly images: GrpcClient<typeof imagesService>;
  readonly introspection: GrpcClient<typeof introspectionService>;
  readonly leases: GrpcClient<typeof leasesService>;
  readonly namespaces: GrpcClient<typeof namespacesService>;
  readonly snapshots: GrpcClient<typeof snapshotsService>;
  readonly version: GrpcClient<typeof versionService>;
}

/**
 * The headers by which containerd knows what a call is about. Source: containerd v1.6.20 `namespaces/grpc.go`,
 * `leases/grpc.go`.
 */
export const namespaceHeader = "containerd-namespace";
export const leaseHeader = "containerd-lease";

/** A client of containerd. Nothing is connected to before the first call, nor is anything asked of containerd. */
export function connectContainerd({ socket, namespace }: ContainerdOptions): Containerd {
  return inNamespace(createGrpcChannel({ unix: socket }), namespace);
}

function inNamespace(channel: GrpcChannel, namespace: string): Containerd {
  const metadata = { [namespaceHeader]: namespace };
  const close = () => channel.close();
  return {
    namespace,
    metadata,
    channel,
    services: createServices(channel, metadata),
    within: (other) => inNamespace(channel, other),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function createServices(channel: GrpcChannel, metadata: Metadata): ContainerdServices {
  const options = { metadata };
  return {
    containers: createGrpcClient(containersService, channel, options),
    content: createGrpcClient(contentService, channel, options),
    diff: createGrpcClient(diffService, channel, options),
    images: createGrpcClient(imagesService, channel, options),
    introspection: createGrpcClient(introspectionService, channel, options),
    leases: createGrpcClient(leasesService, channel, options),
    namespaces: createGrpcClient(namespacesService, channel, options),
    snapshots: createGrpcClient(snapshotsService, channel, options),
    version: createGrpcClient(versionService, channel, options),
  };
}
