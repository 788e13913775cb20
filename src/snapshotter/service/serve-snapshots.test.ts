import * as fc from "fast-check";
import { expect, it } from "vitest";
import { snapshotsService } from "../../containerd/index.ts";
import type { SnapshotInfo } from "../snapshotter.ts";
import { mostBytesOf } from "./serve-snapshots.ts";
import { toWireInfo } from "./wire-shapes.ts";

const text = fc.string({ unit: fc.constantFrom("a", "\u00e4", "\u8a9e", "\u{1f600}"), maxLength: 50 });
const time = fc.bigInt({ min: -(10n ** 18n), max: 2n ** 62n });
const anyInfo: fc.Arbitrary<SnapshotInfo> = fc.record({
  name: text,
  kind: fc.constantFrom("view", "active", "committed"),
  parent: fc.option(text, { nil: undefined }),
  labels: fc.dictionary(
    text,
    fc.oneof(
      text,
      fc.nat(4_000).map((length) => "\u8a9e".repeat(length)),
    ),
  ),
  createdNs: time,
  updatedNs: time,
});

// Or a list of many labels of few characters is a message that no client takes.
it("a snapshot takes no more of a message than it is counted for", () => {
  const { response } = snapshotsService.methods.list;
  fc.assert(
    fc.property(anyInfo, (info) => {
      expect(response.encode({ info: [toWireInfo(info)] }).length).toBeLessThanOrEqual(mostBytesOf(info));
    }),
  );
});
