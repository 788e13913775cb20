import type { MetricsCollector } from "../../metrics/index.ts";
import type { Check } from "../check.ts";
import type { WireContext } from "../protocol/context.ts";

/** How Docker's socket with metrics behaves. */
export type SocketBehaviour = "good" | "silent" | "broken" | "absent";

/** What a check of metrics collectors is given. */
export interface MetricsContext extends AsyncDisposable {
  readonly collector: MetricsCollector;
  /** The same as engines tell it; `undefined` where it is in this process. */
  readonly wire: WireContext | undefined;
  /** Puts a socket where the collector looks for it, in the old one's place; `undefined` where nobody said where. */
  readonly putSocket: ((behaviour: SocketBehaviour) => Promise<void>) | undefined;
  /**
   * Resolves when the socket that is there now has been asked more than `count` times. @throws when it is not in time.
   */
  readonly waitForRead: (count?: number) => Promise<void>;
  /** How often the socket that is there now has been asked. */
  readonly reads: () => number;
  /** Ends the plugin's process by SIGKILL and starts another; `undefined` where nobody can. */
  readonly killAndRestart: (() => Promise<void>) | undefined;
}

/** One promise of the contract of metrics collectors, or one thing that engines do. */
export type MetricsCheck = Check<MetricsContext>;

export const needsSocket = ({ putSocket }: MetricsContext): string | undefined =>
  putSocket === undefined ? "nobody said where the plugin looks for Docker's socket (--metrics-socket)" : undefined;
