import type { PrepareOptions } from "../../snapshotter/index.ts";

/**
 * What containerd asks for to unpack a layer into. Source: containerd v1.6.20 `unpacker.go`, `metadata/snapshot.go`.
 */
export interface UnpackRequest {
  readonly key: string;
  readonly options: PrepareOptions;
}

const refLabel = "containerd.io/snapshot.ref";
let requests = 0;

/** `layer` is the chain id that the layer is to have; `namespace` the one of containerd that it is unpacked for. */
export function unpackRequest(layer: string, parent: string | undefined, namespace = "default"): UnpackRequest {
  const key = `${namespace}/${++requests}/extract-${requests}-kit ${layer}`;
  return { key, options: { parent, labels: refOf(layer) } };
}

/** The label by which a committed layer is known in all namespaces. */
export function refOf(layer: string): Readonly<Record<string, string>> {
  return { [refLabel]: layer };
}
