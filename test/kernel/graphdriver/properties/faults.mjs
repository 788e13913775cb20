/** Drivers with one fault each: properties that hold for these prove nothing. */
export const faults = {
  "deletions are not listed": (driver) => ({
    changes: async (...args) => (await driver.changes(...args)).filter(({ kind }) => kind !== "deleted"),
  }),
  "the parent of a diff is ignored": (driver) => ({ diff: (id) => driver.diff(id) }),
  "folders that were made anew show what they hid": (driver) => ({
    applyDiff: (id, parent, pieces) => driver.applyDiff(id, parent, pieces.map(withoutOpaqueMarkers)),
  }),
};

const blockBytes = 512;

/** Markers are headers without content. */
function withoutOpaqueMarkers(archive) {
  const blocks = Array.from({ length: archive.length / blockBytes }, (_, at) =>
    archive.subarray(at * blockBytes, (at + 1) * blockBytes),
  );
  return Buffer.concat(blocks.filter((block) => !block.subarray(0, 100).includes("/.wh..wh..opq")));
}
