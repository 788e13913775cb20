/** A client of containerd's own API over its socket, from tables as those of `snapshotter`'s service. */
export {
  connectContainerd,
  type Containerd,
  type ContainerdOptions,
  type ContainerdServices,
  leaseHeader,
  namespaceHeader,
} from "./client.ts";
export { createDigester, type Digester, hexOfDigest } from "./blobs/digest.ts";
export { createLease, withLease } from "./blobs/lease.ts";
export { readBlob } from "./blobs/read-blob.ts";
export { writeBlob, type WriteBlobOptions, type WrittenBlob } from "./blobs/write-blob.ts";
export { containersService } from "./services/containers-service.ts";
export { contentService } from "./services/content-service.ts";
export { diffService } from "./services/diff-service.ts";
export { imagesService } from "./services/images-service.ts";
export { introspectionService } from "./services/introspection-service.ts";
export { leasesService } from "./services/leases-service.ts";
export { namespacesService } from "./services/namespaces-service.ts";
export { descriptorMessage, mountMessage } from "./services/shared-messages.ts";
export { type infoMessage, snapshotsService } from "./services/snapshots-service.ts";
export { versionService } from "./services/version-service.ts";
