import { CleatError } from "../../errors/index.ts";
import type { MessageOut } from "../../grpc/index.ts";
import type { controllerService } from "../services/controller-service.ts";
import type { Provisioned } from "./provisioned.ts";

/** What a plugin says of a volume that it has made. */
export interface MadeVolume {
  readonly provisioned: Provisioned;
  /** The volume that it is a clone of. */
  readonly sourceId: string | undefined;
  /** 0 where the plugin does not say. */
  readonly capacityBytes: bigint;
}

type Answer = NonNullable<MessageOut<(typeof controllerService)["methods"]["createVolume"]["response"]>["volume"]>;

export function toMadeVolume({ volume_id, volume_context, content_source, capacity_bytes }: Answer): MadeVolume {
  return {
    provisioned: { volumeId: volume_id, context: volume_context },
    sourceId: content_source?.volume?.volume_id,
    capacityBytes: capacity_bytes,
  };
}

/**
 * A plugin that knows nothing of sources makes an empty volume.
 *
 * Source: container-storage-interface/spec v1.9.0 `csi.proto`, Volume: what it was made from has to be said.
 * @throws INTERNAL when it is not a clone of the volume that was named, or smaller than was asked for.
 */
export function assertAsAsked(made: MadeVolume, sourceId: string | undefined, sizeBytes: number | undefined): void {
  const { capacityBytes } = made;
  if (sourceId !== undefined && made.sourceId !== sourceId) {
    throw new CleatError("INTERNAL", "CSI plugin made a volume that is no clone of the one that was named");
  }
  if (capacityBytes === 0n || sizeBytes === undefined || capacityBytes >= BigInt(sizeBytes)) return;
  throw new CleatError(
    "INTERNAL",
    `CSI plugin made a volume of ${capacityBytes} bytes, and ${sizeBytes} were asked for`,
  );
}
