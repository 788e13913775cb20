/**
 * Keeps programs that serve volumes running. One that has died takes its mount along for good: what has it open, and
 * containers that run, see errors from then on. Another is started in its place, for whoever mounts the volume next.
 */
import { CleatError } from "../../errors/index.ts";
import { isRunning, type ProcessIdentity } from "../../syscall/index.ts";
import { createDeadline } from "../../transport/index.ts";
import type { VolumeCall, VolumeCare } from "../managed/volume-backend.ts";
import { isMountPoint, unmountFileSystem, unmountTree } from "../mounting/mount-file-system.ts";
import { endFuse, findFuse, type FusePlace, type FuseProgram, startFuse, trimLog } from "./fuse-process.ts";

/** Of a volume. */
interface FuseVolume extends FusePlace {
  readonly name: string;
}

/** What is run for it; asked for at each start. */
export type FuseProgramOf = (signal: AbortSignal) => Promise<FuseProgram>;

/** How often a process is looked at. */
const lookMs = 1_000;
/**
 * How long one that died is left alone before the next is started: each time twice as long, and anew
 * when it has run for long.
 */
const restartMs = { first: 1_000, last: 60_000 } as const;
const ranWellMs = 60_000;
/** How long a start that nobody waits for may take. */
const startTimeoutMs = 50_000;
/** How long one that is unmounted may take to end by itself. */
const flushMs = 5_000;

interface Watch {
  /** Resolves when nothing is started any more. */
  stop(): Promise<void>;
}

/** By where they are mounted: a place is one driver's. */
const watches = new Map<string, Watch>();

/** Mounts a volume by a program, and keeps that running until `unmountFuse`, or until the driver is closed. */
export async function mountFuse(volume: FuseVolume, programOf: FuseProgramOf, call: VolumeCall): Promise<void> {
  await stopWatching(volume.target);
  await endFuse(volume, 0, call.signal);
  const own = await startFuse(volume, await programOf(call.signal), call.signal);
  watch(volume, own, programOf, call);
}

/** @throws FAILED_PRECONDITION while it is busy: then it is kept running. */
export async function unmountFuse(volume: FuseVolume, programOf: FuseProgramOf, call: VolumeCall): Promise<void> {
  const { target, folder } = volume;
  await stopWatching(target);
  const own = await findFuse(folder);
  try {
    // Nothing of it can be used.
    if (own === undefined) await unmountTree(target, { isSlave: true, signal: call.signal });
    else await unmountFileSystem(target, call);
  } catch (error) {
    watch(volume, own, programOf, call);
    throw error;
  }
  await endFuse(volume, flushMs, call.signal);
}

/** Keeps running what an earlier process has mounted. */
export async function careForFuse(volume: FuseVolume, programOf: FuseProgramOf, care: VolumeCare): Promise<void> {
  watch(volume, await findFuse(volume.folder), programOf, care);
}

async function stopWatching(target: string): Promise<void> {
  await watches.get(target)?.stop();
  watches.delete(target);
}

function watch(
  volume: FuseVolume,
  first: ProcessIdentity | undefined,
  programOf: FuseProgramOf,
  { closing, logger }: VolumeCare,
): void {
  const { name, target, folder } = volume;
  if (closing.aborted) return;
  const stopping = new AbortController();
  let own = first;
  let startedMs = performance.now();
  let pauseMs: number = restartMs.first;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const restart = async () => {
    const { signal, release } = createDeadline(startTimeoutMs, `program of volume "${name}"`, stopping.signal);
    try {
      if (isMountPoint(target)) await unmountTree(target, { isSlave: true, signal });
      await endFuse(volume, 0, signal);
      own = await startFuse(volume, await programOf(signal), signal);
      startedMs = performance.now();
      logger.warn({ volume: name }, "the program that serves a volume has died, and was started anew");
    } catch (error) {
      if (stopping.signal.aborted) return;
      logger.warn({ err: error, volume: name }, "the program that serves a volume has died, and cannot be started yet");
    } finally {
      release();
    }
  };
  const look = async () => {
    try {
      if (own !== undefined && isRunning(own)) {
        await trimLog(folder);
        return plan(lookMs);
      }
      if (performance.now() - startedMs > ranWellMs) pauseMs = restartMs.first;
      await restart();
    } catch (error) {
      // No descriptor is free, or the disk is broken: the volume may be served well all the same.
      logger.warn({ err: error, volume: name }, "the program that serves a volume cannot be looked at");
    }
    plan(pauseMs);
    pauseMs = Math.min(pauseMs * 2, restartMs.last);
  };
  const plan = (delayMs: number) => {
    if (stopping.signal.aborted) return;
    timer = setTimeout(() => (running = look()), delayMs).unref();
  };
  const stop = async () => {
    clearTimeout(timer);
    stopping.abort(new CleatError("CANCELLED", "it is unmounted, or its driver closed"));
    await running;
  };
  closing.addEventListener("abort", () => void stop(), { once: true });
  watches.set(target, { stop });
  plan(own === undefined ? 0 : lookMs);
}
