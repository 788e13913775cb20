export {
  defineProtocol,
  type DownloadMethod,
  type Framing,
  type JsonMethod,
  type Method,
  type Protocol,
  type UploadMethod,
} from "./define-protocol.ts";
export { encodeFailure, type Failure, failureIn, parseFailure } from "./failure.ts";
export { decodeGoJson, decodeValue, encodeGoJson, encodeValue, goBytes, goStruct, parseGoJson } from "./go-json.ts";
export { graphDriverProtocol } from "./graph-driver.ts";
export { pluginMediaType } from "./media-type.ts";
export { pluginProtocol } from "./plugin.ts";
export type { Call, CallOptions, Client, ServerImplementation, UploadCall, UploadOptions } from "./sides.ts";
