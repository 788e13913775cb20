/**
 * The Kubernetes side of containerd, as far as tests call it. Source of the field numbers: Kubernetes v1.27 cri-api
 * `pkg/apis/runtime/v1/api.proto`.
 */
import {
  bytes,
  createGrpcChannel,
  createGrpcClient,
  defineService,
  embedded,
  empty,
  enumeration,
  int32,
  int64,
  message,
  repeated,
  repeatedStrings,
  string,
  type GrpcClient,
  type Message,
} from "../../../src/grpc/index.ts";

const source = "kubernetes v1.27 cri-api pkg/apis/runtime/v1/api.proto";
const timeoutMs = 60_000;

function row<const Path extends `/${string}.${string}/${string}`, Request extends Message, Response extends Message>(
  path: Path,
  request: Request,
  response: Response,
) {
  return { path, kind: "unary", request, response, timeoutMs, source } as const;
}

const imageSpec = message("runtime.v1.ImageSpec", { image: string(1) });
const byImage = message("runtime.v1.ImageSpecRequest", { image: embedded(1, imageSpec) });
const byPod = message("runtime.v1.PodSandboxRequest", { pod_sandbox_id: string(1) });
const byContainer = message("runtime.v1.ContainerRequest", { container_id: string(1) });
const count = message("runtime.v1.UInt64Value", { value: int64(1) });

const fileSystemUsage = message("runtime.v1.FilesystemUsage", {
  fs_id: embedded(2, message("runtime.v1.FilesystemIdentifier", { mountpoint: string(1) })),
  used_bytes: embedded(3, count),
  inodes_used: embedded(4, count),
});

const namespaceOption = message("runtime.v1.NamespaceOption", {
  network: enumeration(1, ["POD", "CONTAINER", "NODE", "TARGET"]),
});

const podSandboxConfig = message("runtime.v1.PodSandboxConfig", {
  metadata: embedded(
    1,
    message("runtime.v1.PodSandboxMetadata", { name: string(1), uid: string(2), namespace: string(3) }),
  ),
  log_directory: string(3),
  dns_config: embedded(4, message("runtime.v1.DNSConfig", { servers: repeatedStrings(1) })),
  linux: embedded(
    8,
    message("runtime.v1.LinuxPodSandboxConfig", {
      cgroup_parent: string(1),
      security_context: embedded(
        2,
        message("runtime.v1.LinuxSandboxSecurityContext", { namespace_options: embedded(1, namespaceOption) }),
      ),
    }),
  ),
});

const containerConfig = message("runtime.v1.ContainerConfig", {
  metadata: embedded(1, message("runtime.v1.ContainerMetadata", { name: string(1) })),
  image: embedded(2, imageSpec),
  command: repeatedStrings(3),
  log_path: string(11),
  linux: embedded(
    15,
    message("runtime.v1.LinuxContainerConfig", {
      security_context: embedded(
        2,
        message("runtime.v1.LinuxContainerSecurityContext", { namespace_options: embedded(3, namespaceOption) }),
      ),
    }),
  ),
});

const images = defineService({
  name: "runtime.v1.ImageService",
  methods: {
    pullImage: row(
      "/runtime.v1.ImageService/PullImage",
      byImage,
      message("runtime.v1.PullImageResponse", { image_ref: string(1) }),
    ),
    removeImage: row("/runtime.v1.ImageService/RemoveImage", byImage, empty),
    imageFsInfo: row(
      "/runtime.v1.ImageService/ImageFsInfo",
      empty,
      message("runtime.v1.ImageFsInfoResponse", { image_filesystems: repeated(1, fileSystemUsage) }),
    ),
  },
});

const runtime = defineService({
  name: "runtime.v1.RuntimeService",
  methods: {
    version: row(
      "/runtime.v1.RuntimeService/Version",
      empty,
      message("runtime.v1.VersionResponse", { runtime_version: string(3) }),
    ),
    runPodSandbox: row(
      "/runtime.v1.RuntimeService/RunPodSandbox",
      message("runtime.v1.RunPodSandboxRequest", { config: embedded(1, podSandboxConfig) }),
      byPod,
    ),
    stopPodSandbox: row("/runtime.v1.RuntimeService/StopPodSandbox", byPod, empty),
    removePodSandbox: row("/runtime.v1.RuntimeService/RemovePodSandbox", byPod, empty),
    createContainer: row(
      "/runtime.v1.RuntimeService/CreateContainer",
      message("runtime.v1.CreateContainerRequest", {
        pod_sandbox_id: string(1),
        config: embedded(2, containerConfig),
        sandbox_config: embedded(3, podSandboxConfig),
      }),
      byContainer,
    ),
    startContainer: row("/runtime.v1.RuntimeService/StartContainer", byContainer, empty),
    removeContainer: row("/runtime.v1.RuntimeService/RemoveContainer", byContainer, empty),
    execSync: row(
      "/runtime.v1.RuntimeService/ExecSync",
      message("runtime.v1.ExecSyncRequest", { container_id: string(1), cmd: repeatedStrings(2), timeout: int64(3) }),
      message("runtime.v1.ExecSyncResponse", { stdout: bytes(1), stderr: bytes(2), exit_code: int32(3) }),
    ),
    containerStats: row(
      "/runtime.v1.RuntimeService/ContainerStats",
      byContainer,
      message("runtime.v1.ContainerStatsResponse", {
        stats: embedded(1, message("runtime.v1.ContainerStats", { writable_layer: embedded(4, fileSystemUsage) })),
      }),
    ),
  },
});

/** What a kubelet calls. */
export interface Cri extends AsyncDisposable {
  readonly images: GrpcClient<typeof images>;
  readonly runtime: GrpcClient<typeof runtime>;
}

export function openCri(socketPath: string): Cri {
  const channel = createGrpcChannel({ unix: socketPath });
  return {
    images: createGrpcClient(images, channel),
    runtime: createGrpcClient(runtime, channel),
    [Symbol.asyncDispose]: () => channel.close(),
  };
}

/** A pod in the network of the host, where no network plugin is needed. */
export function hostNetworkPod(name: string, cgroupParent: string, logDirectory: string) {
  return {
    metadata: { name, uid: name, namespace: "tests" },
    log_directory: logDirectory,
    dns_config: { servers: ["127.0.0.1"] },
    linux: { cgroup_parent: cgroupParent, security_context: { namespace_options: { network: "NODE" } } },
  } as const;
}
