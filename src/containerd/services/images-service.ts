/**
 * containerd's images: a name for a manifest.
 *
 * Source: containerd v1.6.20 `api/services/images/v1/images.proto`; v2.1.9 has further fields, which are not used.
 */
import {
  bool,
  defineService,
  embedded,
  empty,
  fieldMask,
  message,
  repeated,
  repeatedStrings,
  string,
  stringMap,
  timestamp,
} from "../../grpc/index.ts";
import { descriptorMessage } from "./shared-messages.ts";

const source = "containerd v1.6.20 api/services/images/v1/images.proto";
const name = (short: string) => `containerd.services.images.v1.${short}`;
const call = { kind: "unary", source, timeoutMs: 30_000 } as const;

const imageMessage = message(name("Image"), {
  name: string(1),
  labels: stringMap(2),
  target: embedded(3, descriptorMessage),
  created_at: embedded(7, timestamp),
  updated_at: embedded(8, timestamp),
});
const image = { image: embedded(1, imageMessage) };

export const imagesService = defineService({
  name: "containerd.services.images.v1.Images",
  methods: {
    get: {
      ...call,
      subject: "name",
      path: "/containerd.services.images.v1.Images/Get",
      request: message(name("GetImageRequest"), { name: string(1) }),
      response: message(name("GetImageResponse"), image),
    },
    list: {
      ...call,
      path: "/containerd.services.images.v1.Images/List",
      request: message(name("ListImagesRequest"), { filters: repeatedStrings(1) }),
      response: message(name("ListImagesResponse"), { images: repeated(1, imageMessage) }),
    },
    create: {
      ...call,
      path: "/containerd.services.images.v1.Images/Create",
      request: message(name("CreateImageRequest"), image),
      response: message(name("CreateImageResponse"), image),
    },
    update: {
      ...call,
      path: "/containerd.services.images.v1.Images/Update",
      request: message(name("UpdateImageRequest"), { ...image, update_mask: embedded(2, fieldMask) }),
      response: message(name("UpdateImageResponse"), image),
    },
    /** With `sync` answers after a collection of garbage, which may take long. */
    delete: {
      ...call,
      subject: "name",
      path: "/containerd.services.images.v1.Images/Delete",
      request: message(name("DeleteImageRequest"), { name: string(1), sync: bool(2) }),
      response: empty,
      timeoutMs: 600_000,
    },
  },
});
