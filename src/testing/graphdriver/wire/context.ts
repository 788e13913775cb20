import { AssertionError } from "node:assert";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { graphDriverProtocol } from "../../../protocol/index.ts";
import type { Check } from "../../check.ts";
import type { WireContext } from "../../protocol/context.ts";
import { assertSuccess } from "../../wire/answers.ts";
import { commonDialect, type EngineDialect } from "../../wire/engine-dialects.ts";
import type { WireAnswer } from "../../wire/plugin-peer.ts";

/** What a check of a graph driver's wire is given: the plugin, with an empty home. */
export interface LayerWireContext extends WireContext {
  /** Where its home is. */
  readonly home: string;
  /** An id that nothing has; what is made under it is removed after the check. */
  newId(): string;
  /** A call with JSON, which has to succeed. */
  call(method: { readonly path: string }, request: object): Promise<WireAnswer>;
  /** As Docker sends an archive: in pieces, with the layer in the query, unescaped. */
  upload(id: string, parent: string, archive: Uint8Array, more?: UploadOptions): Promise<WireAnswer>;
}

export interface UploadOptions {
  readonly dialect?: EngineDialect;
  /** So many bytes, and the connection ends. */
  readonly breakOffAfter?: number;
}

/** One thing that engines do with layers and Cleat's own client would hide. */
export type LayerWireCheck = Check<LayerWireContext>;

const { init, applyDiff, remove, cleanup } = graphDriverProtocol.methods;
/** Odd, so that no piece ends where a header does. */
const pieceBytes = 777;

/** Says `Init` for a home of its own, which goes when the context is disposed of. */
export async function openLayerWire(wire: WireContext, folder: string): Promise<LayerWireContext> {
  const home = await mkdtemp(join(folder, "cleat-check-"));
  const ids: string[] = [];
  const post = (path: string, request: object) => wire.post(path, `${JSON.stringify(request)}\n`);
  const initialized = await post(init.path, { Home: home, Opts: null, UIDMaps: null, GIDMaps: null });
  assertSuccess(init.path, initialized, init.response);
  return {
    ...wire,
    home,
    newId() {
      const id = randomBytes(32).toString("hex");
      ids.push(id);
      return id;
    },
    async call({ path }, request) {
      const answer = await post(path, request);
      if (answer.status === 200) return answer;
      throw new AssertionError({ message: `${path} answered ${answer.status} ${answer.body.toString().trim()}` });
    },
    upload: (id, parent, archive, { dialect = commonDialect, breakOffAfter } = {}) =>
      wire.peer.send({
        ...wire.message(`${applyDiff.path}?id=${id}&parent=${parent}`, archive, dialect),
        pieceBytes,
        ...(breakOffAfter !== undefined && { breakOffAfter }),
      }),
    async [Symbol.asyncDispose]() {
      const errors: unknown[] = [];
      for (const ID of ids.toReversed()) {
        const { status, body } = await post(remove.path, { ID });
        if (status !== 200) errors.push(new AssertionError({ message: `layer stays: ${body.toString().trim()}` }));
      }
      await post(cleanup.path, {});
      await rm(home, { recursive: true, force: true });
      if (errors.length > 0) throw new AggregateError(errors, String(errors[0]));
    },
  };
}
