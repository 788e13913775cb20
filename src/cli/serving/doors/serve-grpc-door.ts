import { type ImplementedService, serveGrpc } from "../../../grpc/index.ts";
import { listenOnSystemd, listenOnUnix, type Logger, notifySystemd } from "../../../plugin/index.ts";
import type { readSocketOptions } from "../options/listen-options.ts";
import { drainTimeoutMs } from "./serve-doors.ts";

/** What is in it is root's business, as is who may connect. */
const socketFolderMode = 0o700;

export interface GrpcDoorOptions {
  readonly services: readonly ImplementedService[];
  readonly listen: Awaited<ReturnType<typeof readSocketOptions>>;
  /** Called once after the last call. */
  close(): Promise<void>;
  readonly logger: Logger;
}

/** Serves gRPC, and tells systemd. @throws what listening throws; `close` is not called then. */
export async function serveGrpcDoor({ services, listen, close, logger }: GrpcDoorOptions) {
  const server = await serveGrpc({
    services,
    listen: (http2) =>
      "systemd" in listen
        ? listenOnSystemd(http2, listen)
        : listenOnUnix(http2, { folderMode: socketFolderMode, ...listen }),
    close,
    drainTimeoutMs,
    logger,
  });
  const toldReady = notifySystemd("READY=1", logger); // not waited for: signals may come as soon as it is told
  return {
    address: server.address,
    async close(): Promise<void> {
      const told = toldReady.then(() => notifySystemd("STOPPING=1", logger));
      await Promise.all([server.close(), told]);
    },
  };
}
