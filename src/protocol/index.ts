export { authzProtocol } from "./authz.ts";
export {
  announcedName,
  defaultMaxReplyBytes,
  defaultMaxRequestBytes,
  defineProtocol,
  type DownloadMethod,
  failureFieldOf,
  type Framing,
  type JsonMethod,
  type Method,
  type Protocol,
  type UploadMethod,
} from "./define-protocol.ts";
export { encodeFailure, type Failure, failureIn, parseFailure } from "./failure.ts";
export {
  decodeGoJson,
  decodeValue,
  encodeGoJson,
  encodeGoJsonList,
  encodeValue,
  endOfJsonString,
  foldGoName,
  goBytes,
  goStruct,
  parseGoJson,
} from "./go-json.ts";
export { graphDriverProtocol } from "./graph-driver.ts";
export { ipamDriverProtocol } from "./ipam-driver.ts";
export { logDriverProtocol } from "./log-driver.ts";
export { loadProtocol } from "./load-protocol.ts";
export { pluginMediaType, streamMediaType, tarMediaType } from "./media-type.ts";
export { metricsCollectorProtocol } from "./metrics-collector.ts";
export { networkDriverProtocol } from "./network-driver.ts";
export { assertPluginName, pluginNamePattern } from "./plugin-name.ts";
export { pluginProtocol } from "./plugin.ts";
export { protocols } from "./protocols.ts";
export { secretProviderProtocol } from "./secret-provider.ts";
export type {
  Call,
  CallOptions,
  Client,
  Connection,
  ServerImplementation,
  UploadCall,
  UploadOptions,
} from "./sides.ts";
export { volumeDriverProtocol } from "./volume-driver.ts";
