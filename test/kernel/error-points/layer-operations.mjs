/** What of graph drivers is not killed in `crash-points`, and fails here. */
import { factories, namesOf } from "../graphdriver/scenarios/layers.mjs";
import { operations as killed, prepareBase } from "../crash-points/operations.mjs";
import { withOther } from "./with-other.mjs";

export const layerOperations = {
  create: killed.create,
  apply: killed.apply,
  "apply with exact diffs": killed["apply with exact diffs"],
  remove: killed.remove,
  get: {
    ...killed.apply,
    run: async (driver, id) => {
      await driver.get(id, {});
      await driver.put(id);
    },
    after: killed.apply.before,
  },
  /** A home of its own, with a layer. */
  open: {
    ...killed.apply,
    async open(name, home) {
      const openOther = () => factories[name].open({ home: `${home}-other` });
      return Object.assign(await factories[name].open({ home }), { openOther });
    },
    prepare: (driver) => withOther(driver, prepareBase),
    run: (driver) => withOther(driver, async () => {}),
    look: (driver) => withOther(driver, async (other) => String(await namesOf(other, "base"))),
    async tidy() {},
    subjects: Object.keys(factories),
    before: killed.apply.before,
    after: killed.apply.before,
  },
};
