import { realpath } from "node:fs/promises";
import { connectContainerd, diffService, leaseHeader, namespaceHeader } from "../../containerd/index.ts";
import { CleatError, toCleatError } from "../../errors/index.ts";
import { fromTimestamp, type GrpcCall, implementService, type ImplementedService } from "../../grpc/index.ts";
import { keepToFolder } from "../../syscall/index.ts";
import type { GraphDriverFactory } from "../../graphdriver/index.ts";
import { type Logger, silentLogger } from "../../transport/index.ts";
import { createWorkerPool, type ModuleReference } from "../../workers/index.ts";
import type { Mount } from "../snapshotter.ts";
import { fromWireMount } from "../service/wire-shapes.ts";
import { applyDiff } from "./apply-diff.ts";
import { planApply } from "./apply-target.ts";
import { createDiff, type DiffContext } from "./create-diff.ts";
import { moduleUrl } from "./jobs-url.ts";
import { compressionOf, defaultMediaType, layerMediaType } from "./media-types.ts";
import { type DiffPlan, planDiff } from "./plan-diff.ts";

export interface DiffServiceOptions {
  /** The snapshotter's root: what lies below is read, and written to, where it is. */
  readonly root: string;
  /** containerd's own socket. Nothing is connected to before the first call. */
  readonly containerd: string;
  /** That of the snapshotter's driver: what it knows of its layers need not be read. */
  readonly store?: GraphDriverFactory["store"] | undefined;
  /** Whether archives are applied, too; without it that is UNIMPLEMENTED. */
  readonly apply: boolean;
  readonly logger?: Logger | undefined;
}

export interface DiffService extends AsyncDisposable {
  readonly service: ImplementedService;
  /** Waits for what runs. May be called twice. */
  close(): Promise<void>;
}

/**
 * containerd's diffs as a service, which `serveGrpc` serves beside a snapshotter's (a proxy plugin of type "diff",
 * which containerd knows since v1.7.4). Whatever it cannot do is UNIMPLEMENTED, before anything was written, so that
 * the next differ in containerd's configuration has its turn; `walking` does everything. FAILED_PRECONDITION once
 * another folder stands at `root`.
 * @throws NOT_FOUND when `root` is not there.
 */
export async function openDiffService(options: DiffServiceOptions): Promise<DiffService> {
  const { logger = silentLogger } = options;
  const root = await realpath(options.root);
  const assertInPlace = keepToFolder(root, "root"); // what mounts name would be another store's
  const containerd = connectContainerd({ socket: options.containerd, namespace: "" });
  const pool = createWorkerPool({ idleThreads: 1 });
  const jobs = { url: moduleUrl } as ModuleReference<typeof import("./jobs.ts")>;
  const store = options.store && { home: root, url: options.store.url };
  const contextOf = (call: GrpcCall): DiffContext => {
    return { containerd: containerd.within(namespaceOf(call)), pool, jobs, store };
  };

  const service = implementService(diffService, {
    async diff({ left, right, media_type, ref, labels, source_date_epoch }, call) {
      const mediaType = media_type === "" ? defaultMediaType : media_type;
      const compression = compressionOf(mediaType);
      const context = contextOf(call);
      assertInPlace();
      const mounts = [left, right].map((side) => side.map(fromWireMount)) as [Mount[], Mount[]];
      const [older, newer] = mounts;
      const plan = planDiff(older, newer, await ownFolders(root, mounts.flat()));
      const latestSeconds = source_date_epoch && Number(fromTimestamp(source_date_epoch) / 1_000_000_000n);
      const lease = call.metadata[leaseHeader];
      const diffOptions = { compression, ref, labels, lease, latestSeconds };
      const written = await createDiff(context, plan, diffOptions, call).catch((error: unknown) => {
        if (plan.kind === "trees" || toCleatError(error).code !== "FAILED_PRECONDITION") throw error;
        // The layer keeps content elsewhere (overlay's `redirect_dir`, `metacopy`), which only a mount follows.
        const trees: DiffPlan = { kind: "trees", newer: { mounts: newer }, older: { mounts: older } };
        return createDiff(context, trees, diffOptions, call);
      });
      assertInPlace();
      return { diff: { media_type: mediaType, digest: written.digest, size: BigInt(written.sizeBytes) } };
    },
    async apply({ diff, mounts: wireMounts, payloads, sync_fs: sync }, call) {
      if (!options.apply) throw new CleatError("UNIMPLEMENTED", "archives are not applied here: --apply was not given");
      if (diff === undefined) throw new CleatError("INVALID_ARGUMENT", "apply names no blob");
      if (Object.keys(payloads).length > 0)
        throw new CleatError("UNIMPLEMENTED", "stream processors are not known here");
      compressionOf(diff.media_type);
      const context = contextOf(call);
      assertInPlace();
      const mounts = wireMounts.map(fromWireMount);
      const target = planApply(mounts, await ownFolders(root, mounts));
      const { diffId, archiveBytes, leftOut } = await applyDiff(context, diff.digest, target, { sync }, call);
      if (leftOut.count > 0) {
        const subject = { folder: target.folder, ...leftOut };
        logger.warn(subject, "extended attributes were left out of the layer: the file system cannot hold them");
      }
      assertInPlace();
      return { applied: { media_type: layerMediaType, digest: diffId, size: BigInt(archiveBytes) } };
    },
  });

  let closing: Promise<void> | undefined;
  const close = () => (closing ??= pool.close().then(() => containerd.close()));
  return { service, close, [Symbol.asyncDispose]: close };
}

/**
 * Without it containerd answers nothing about blobs. Source: containerd v1.7.24 as Debian builds it sends none to
 * proxies.
 */
function namespaceOf({ metadata }: GrpcCall): string {
  const namespace = metadata[namespaceHeader];
  if (namespace !== undefined && namespace !== "") return namespace;
  const message =
    `containerd sent no header ${namespaceHeader}, without which no blob can be reached: the next ` +
    "differ has to do it";
  throw new CleatError("UNIMPLEMENTED", message);
}

/**
 * Which of the folders that mounts name are the store's: below its root, spelled as they are, and not by way of a
 * symlink, which an image may have brought.
 */
async function ownFolders(root: string, mounts: readonly Mount[]): Promise<(folder: string) => boolean> {
  const named = new Set(mounts.flatMap(({ source, options }) => [source, ...options.flatMap(pathsInOption)]));
  const below = [...named].filter((folder) => folder.startsWith(`${root}/`));
  const resolved = await Promise.all(below.map((folder) => realpath(folder).catch(() => undefined)));
  const own = new Set(below.filter((folder, at) => resolved[at] === folder));
  return (folder) => own.has(folder);
}

function pathsInOption(option: string): string[] {
  const value = /^(?:lowerdir|upperdir)=(.*)$/s.exec(option)?.[1];
  return value === undefined ? [] : value.split(":");
}
