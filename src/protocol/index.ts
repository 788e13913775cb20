export { authzProtocol } from "./tables/authz.ts";
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
} from "./definition/define-protocol.ts";
export { encodeFailure, type Failure, failureIn, parseFailure } from "./definition/failure.ts";
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
} from "./definition/go-json.ts";
export { graphDriverProtocol } from "./tables/graph-driver.ts";
export { ipamDriverProtocol } from "./tables/ipam-driver.ts";
export { logDriverProtocol } from "./tables/log-driver.ts";
export { loadProtocol } from "./tables/load-protocol.ts";
export { pluginMediaType, streamMediaType, tarMediaType } from "./definition/media-type.ts";
export { metricsCollectorProtocol } from "./tables/metrics-collector.ts";
export { networkDriverProtocol } from "./tables/network-driver.ts";
export { assertPluginName, pluginNamePattern } from "./definition/plugin-name.ts";
export { pluginProtocol } from "./tables/plugin.ts";
export { protocols } from "./tables/protocols.ts";
export { secretProviderProtocol } from "./tables/secret-provider.ts";
export type {
  Call,
  CallOptions,
  Client,
  Connection,
  ServerImplementation,
  UploadCall,
  UploadOptions,
} from "./definition/sides.ts";
export { volumeDriverProtocol } from "./tables/volume-driver.ts";
