import { assembleLayerAt, type LayerPlace } from "../../layer/index.ts";
import { createSyncRingWriter, type Ring } from "../../workers/index.ts";

/** Writes the archive of which a layer was made into `ring`. Blocks, but for the event loop of its worker. */
export async function sendArchive(place: LayerPlace, ring: Ring): Promise<void> {
  const sink = createSyncRingWriter(ring);
  try {
    await assembleLayerAt(place, sink);
    sink.finish();
  } catch (error) {
    sink.abort();
    throw error;
  }
}
