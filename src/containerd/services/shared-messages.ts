/** Messages of several of containerd's services. */
import { int64, message, repeatedStrings, string, stringMap } from "../../grpc/index.ts";

/** Source: containerd v1.6.20 `api/types/mount.proto`. */
export const mountMessage = message("containerd.types.Mount", {
  type: string(1),
  source: string(2),
  target: string(3),
  options: repeatedStrings(4),
});

/** Source: containerd v1.6.20 `api/types/descriptor.proto`. */
export const descriptorMessage = message("containerd.types.Descriptor", {
  media_type: string(1),
  digest: string(2),
  size: int64(3),
  annotations: stringMap(5),
});

/** Source: containerd v1.6.20 `api/types/platform.proto`. */
export const platformMessage = message("containerd.types.Platform", {
  os: string(1),
  architecture: string(2),
  variant: string(3),
});
