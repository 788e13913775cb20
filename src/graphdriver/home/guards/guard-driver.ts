import { inspect } from "node:util";
import type { Readable } from "node:stream";
import { CleatError } from "../../../errors/index.ts";
import type { CallOptions } from "../../../protocol/index.ts";
import { checkedSource } from "../../streams/checked-source.ts";
import type { DiffGetter, GraphDriver, GraphDriverMethods } from "../../driver.ts";
import { isOfFileSystem } from "../../foreign-names.ts";
import { toErrorAbout, toLayerError } from "../../layer-error.ts";
import { createWanted, toOwn, whileWanted } from "../../streams/given-up.ts";
import { createPeerStreams, type PeerStreams } from "../../streams/peer-streams.ts";

/**
 * The driver as its callers have it: whatever goes wrong in it, on whatever road, is a `CleatError` that names the
 * layer. Here system calls that nobody foresaw get their code; what a driver has said better stays as it is. The driver
 * itself is told of a caller's signal and time as one signal, and is not waited for long once that has aborted. No peer
 * that is silent holds up the removal of its layer, or the end of the driver.
 */
export function guardDriver(driver: GraphDriverMethods): GraphDriver {
  const peers = createPeerStreams();
  const subject = `driver "${driver.name}"`;
  const about: About = (call, run) =>
    whileWanted(subject, call, run).catch((error: unknown) => Promise.reject(toErrorAbout(error, subject)));
  const close = () => about(undefined, () => peers.outlast(undefined, async () => driver.close()));
  return {
    name: driver.name,
    capabilities: driver.capabilities,
    create: (id, options = {}, call) => ofLayer(id, options.parent, call, (own) => driver.create(id, options, own)),
    createReadWrite: (id, options = {}, call) =>
      ofLayer(id, options.parent, call, (own) => driver.createReadWrite(id, options, own)),
    remove: (id, options, call) =>
      ofLayer(id, undefined, call, (own) => peers.outlast(id, () => driver.remove(id, options, own))),
    get: (id, options = {}, call) => counted(id, call, (own) => driver.get(id, options, own)),
    put: (id, call) => counted(id, call, (own) => driver.put(id, own)),
    exists: (id, call) => ofLayer(id, undefined, call, (own) => driver.exists(id, own)),
    status: (call) => about(call, async (own) => driver.status(own)),
    metadata: (id, call) => ofLayer(id, undefined, call, (own) => driver.metadata(id, own)),
    diff: (id, parent, call) =>
      streamed(id, parent, call, async (own) => followed(await driver.diff(id, parent, own), peers)),
    changes: (id, parent, call) => ofLayer(id, parent, call, (own) => driver.changes(id, parent, own)),
    applyDiff: (id, parent, source, call) =>
      ofLayer(id, parent, call, (own) =>
        peers.receive(id, checkedSource(source, id, own?.signal), (archive) =>
          driver.applyDiff(id, parent, archive, own),
        ),
      ),
    diffSize: (id, parent, call) => ofLayer(id, parent, call, (own) => driver.diffSize(id, parent, own)),
    ...guardAbilities(driver, about, peers),
    cleanup: (call) => about(call, async (own) => driver.cleanup(own)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

type Run<T> = (call: CallOptions | undefined) => Promise<T>;

/** Runs what is about the driver as a whole, whose failures name it. */
type About = <T>(call: CallOptions | undefined, run: Run<T>) => Promise<T>;

/** What not every driver can. */
type Abilities = Pick<GraphDriver, "diffGetter" | "list" | "mend" | "mounts" | "usage" | "rebase">;

function guardAbilities(driver: GraphDriverMethods, about: About, peers: PeerStreams): Abilities {
  const [diffGetter, list] = [driver.diffGetter?.bind(driver), driver.list?.bind(driver)];
  const [mend, mounts] = [driver.mend?.bind(driver), driver.mounts?.bind(driver)];
  const [usage, rebase] = [driver.usage?.bind(driver), driver.rebase?.bind(driver)];
  return {
    ...(diffGetter && {
      diffGetter: (id, call) =>
        ofLayer(id, undefined, call, async (own) => {
          const getter = await diffGetter(id, own);
          await letGoIfGivenUp(own, () => getter.close());
          return guardGetter(getter, id, peers);
        }),
    }),
    ...(mounts && {
      mounts: (id, options = {}, call) => ofLayer(id, undefined, call, (own) => mounts(id, options, own)),
    }),
    ...(mend && { mend: (layers) => about(undefined, async () => mend(layers)) }),
    ...(usage && { usage: (id, call) => ofLayer(id, undefined, call, (own) => usage(id, own)) }),
    ...(rebase && { rebase: (id, parent, call) => ofLayer(id, parent, call, (own) => rebase(id, parent, own)) }),
    ...(list && {
      async *list(call) {
        const layers = list(call)[Symbol.asyncIterator]();
        const next = () => about(call, async () => layers.next());
        for (let step = await next(); step.done !== true; step = await next()) yield step.value;
      },
    }),
  };
}

async function ofLayer<T>(
  id: string,
  parent: string | undefined,
  call: CallOptions | undefined,
  run: Run<T>,
): Promise<T> {
  assertIds(id, parent);
  try {
    return await whileWanted(`layer "${id}"`, call, run);
  } catch (error) {
    throw toLayerError(error, id);
  }
}

/**
 * What changes a mount count gives up while it waits, and else is told to its end: a caller who was not told counts
 * wrong.
 */
async function counted<T>(id: string, call: CallOptions | undefined, run: Run<T>): Promise<T> {
  assertIds(id, undefined);
  const wanted = createWanted(`layer "${id}"`, call);
  try {
    wanted.signal?.throwIfAborted();
    return await run(toOwn(call, wanted));
  } catch (error) {
    throw toLayerError(wanted.toTold(error), id);
  } finally {
    wanted.release();
  }
}

/** The call lasts as long as its stream. */
async function streamed(
  id: string,
  parent: string | undefined,
  call: CallOptions | undefined,
  run: Run<Readable>,
): Promise<Readable> {
  assertIds(id, parent);
  const wanted = createWanted(`layer "${id}"`, call);
  const { signal } = wanted;
  try {
    const stream = await wanted.unlessGivenUp(async () => {
      const made = await run(toOwn(call, wanted));
      await letGoIfGivenUp({ signal }, () => made.on("error", () => {}).destroy());
      return made;
    });
    if (signal === undefined) return stream;
    const giveUp = (): void => void stream.destroy(signal.reason as Error);
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
    stream.once("close", wanted.release);
    return stream;
  } catch (error) {
    wanted.release();
    throw toLayerError(error, id);
  }
}

/** What comes after its caller has given up nobody would close. @throws the signal's reason. */
async function letGoIfGivenUp(call: Pick<CallOptions, "signal"> | undefined, letGo: () => unknown): Promise<void> {
  if (call?.signal?.aborted !== true) return;
  await letGo();
  throw call.signal.reason;
}

function assertIds(id: string, parent: string | undefined): void {
  for (const given of [id, parent ?? ""]) {
    // A pattern would take a number for its digits, and `null` for a word.
    if (typeof given !== "string")
      throw new CleatError("INVALID_ARGUMENT", `layer id ${inspect(given, { depth: 0 })} is not a string`);
    if (isOfFileSystem(given))
      throw new CleatError("INVALID_ARGUMENT", `layer id "${given}" is a name that file systems keep for themselves`);
  }
}

function followed(stream: Readable, peers: PeerStreams): Readable {
  peers.follow(stream);
  return stream;
}

function guardGetter(getter: DiffGetter, id: string, peers: PeerStreams): DiffGetter {
  return {
    get: (path) => ofLayer(id, undefined, undefined, async () => followed(await getter.get(path), peers)),
    close: () => ofLayer(id, undefined, undefined, () => getter.close()),
    [Symbol.asyncDispose]: () => ofLayer(id, undefined, undefined, () => getter.close()),
  };
}
