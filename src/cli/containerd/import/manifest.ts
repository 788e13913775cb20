import { createHash } from "node:crypto";

/** What names a blob in a manifest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/**
 * Docker's own types, which are those of a configuration that Docker wrote; as `docker load` has them, so that the
 * image has the same digest both ways. Source: containerd v2.1.9 `core/images/mediatypes.go`,
 * `core/images/archive/importer.go`.
 */
export const mediaTypes = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar",
} as const;

export interface Manifest {
  readonly bytes: Buffer;
  readonly descriptor: Descriptor;
  /**
   * What keeps containerd's collector from the blobs that the manifest names. Source: containerd v1.6.20
   * `images/mediatypes.go`.
   */
  readonly labels: Readonly<Record<string, string>>;
}

/** The manifest of an image whose layers are not compressed. */
export function createManifest(config: Descriptor, layers: readonly Descriptor[]): Manifest {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }));
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const references = layers.map((layer, at) => [`containerd.io/gc.ref.content.l.${at}`, layer.digest]);
  return {
    bytes,
    descriptor: { mediaType: mediaTypes.manifest, digest, size: bytes.length },
    labels: { "containerd.io/gc.ref.content.config": config.digest, ...Object.fromEntries(references) },
  };
}
