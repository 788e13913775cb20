/**
 * Senders of archives that fail in one way or another: the failure has a code, names the layer, and undoes what was
 * unpacked.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { CleatError } from "../../../../errors/index.ts";
import { buildArchive, encodeEntry } from "../../../archive/build-archive.ts";
import { file, folder } from "../../../archive/entry.ts";
import { streamOf } from "../../../archive/stream.ts";
import type { GraphDriverCheck } from "../../check.ts";
import { applyEntries, makeEmptyLayer, makeLayer, readLayer } from "../../layers.ts";

const entries = [folder("d"), file("d/f", "f".repeat(5000))];
const begun = encodeEntry(file("large", Buffer.alloc(2 * 2 ** 20, "large")));

type Fail = () => Uint8Array;

const throwing = (reason: unknown): Fail => {
  return () => {
    throw reason;
  };
};
/** What a program in JavaScript may send. */
const sending = (chunk: unknown): Fail => {
  return () => chunk as Uint8Array;
};

const failures: readonly [id: string, title: string, fail: Fail, code: string][] = [
  ["error", "throws an error", throwing(new Error("the uplink broke")), "UNKNOWN"],
  ["abort", "is aborted", throwing(new DOMException("This operation was aborted", "AbortError")), "CANCELLED"],
  ["coded", "throws an error of the contract", throwing(new CleatError("DATA_LOSS", "disk broke")), "DATA_LOSS"],
  ["system", "meets a failure of the system", throwing(systemFailure()), "UNAVAILABLE"],
  ["text", "throws a text", throwing("the uplink broke"), "UNKNOWN"],
  ["nothing", "throws nothing at all", throwing(undefined), "UNKNOWN"],
  ["strings", "sends text in place of bytes", sending("text"), "INVALID_ARGUMENT"],
  ["numbers", "sends numbers in place of bytes", sending(5), "INVALID_ARGUMENT"],
];

export const senderChecks: readonly GraphDriverCheck[] = failures.map(([id, title, fail, code]) => ({
  id: `sender/${id}`,
  title: `a sender that ${title} in the middle fails applyDiff with an error of the contract`,
  async run(context) {
    const parent = await makeLayer(context, undefined, [file("below", "b")]);
    const layer = await makeEmptyLayer(context, parent);
    async function* send(): AsyncGenerator<Uint8Array> {
      yield* streamOf(begun);
      yield fail();
      yield* streamOf(buildArchive(entries));
    }
    const error = await context.driver.applyDiff(layer, parent, send()).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    ok(error instanceof CleatError, `${String(error)} has no code of the contract`);
    ok(error.message.includes(layer), `"${error.message}" does not name ${layer}`);
    equal(error.code, code);
    await applyEntries(context, layer, parent, entries);
    deepEqual([...(await readLayer(context, layer)).keys()].toSorted(), ["below", "d", "d/f"]);
  },
}));

function systemFailure(): Error {
  return Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", errno: -104, syscall: "read" });
}
