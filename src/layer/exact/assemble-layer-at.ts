import type { ByteSink } from "../../tar/index.ts";
import { CleatError } from "../../errors/index.ts";
import { close, fstat, isRegularFile, O_DIRECTORY, O_NONBLOCK, O_RDONLY, openPath } from "../../syscall/index.ts";
import { assembleLayer } from "./exact-layer.ts";

/** Absolute paths of what is left of an archive. */
export interface LayerPlace {
  /**
   * The folder that holds the layer's files: with Docker's `overlay2`, `overlay2/<cache-id>/diff` under the data root.
   */
  readonly tree: string;
  /**
   * The tar-split data: Docker's `image/<driver>/layerdb/sha256/<chain id>/tar-split.json.gz`, or the
   * `overlay-layers/<id>.tar-split.gz` of containers/storage. Source: moby v20.10.24 `layer/filestore.go`; what Podman
   * 4.3.1 writes.
   */
  readonly data: string;
}

/**
 * Writes to `sink` the archive of which a layer was made, byte for byte, be it one of Docker's, Podman's or Cleat's
 * own:
 *
 *     const hash = createHash("sha256");
 *     await assembleLayerAt({ tree, data }, { write: (bytes) => void hash.update(bytes) });
 *     hash.digest("hex"); // the layer's diff id
 *
 * Reads files as it goes, and blocks while it does; what it hands to `sink` is valid until `write` returns.
 * @throws DATA_LOSS as `assembleLayer`, and where the data is not a file; NOT_FOUND where one of the two paths is not
 * there.
 */
export async function assembleLayerAt(place: LayerPlace, sink: ByteSink, archiveBytes?: number): Promise<void> {
  const data = openPath(place.data, O_RDONLY | O_NONBLOCK);
  try {
    if (!isRegularFile(fstat(data))) throw new CleatError("DATA_LOSS", `tar-split data "${place.data}" is not a file`);
    const root = openPath(place.tree, O_RDONLY | O_DIRECTORY);
    try {
      await assembleLayer(root, data, sink, archiveBytes);
    } finally {
      close(root);
    }
  } finally {
    close(data);
  }
}
