/** What fails of a store of state. */
import { z } from "zod";

import { openStore } from "cleat/state";

import { withOther } from "./with-other.mjs";

const tables = { notes: z.string(), counts: z.int() };
const open = (_kind, folder) => openStore({ folder, tables });

const onStore = (operation) => ({
  open,
  async prepare() {},
  look: async ({ tables: { notes, counts } }, id) => `${notes.get(id)?.slice(0, 3)} ${counts.get(id)}`,
  async tidy(store, id) {
    await store.transact(({ notes, counts }) => (notes.delete(id), counts.delete(id)));
  },
  async assertClean() {},
  subjects: ["records"],
  ...operation,
});

const both = (store, id) => store.transact(({ notes, counts }) => (notes.put(id, "new"), counts.put(id, 1)));

/** So much that the journal is written anew. */
const long = `new${"x".repeat(700_000)}`;

export const storeOperations = {
  put: onStore({
    run: ({ tables: { notes } }, id) => notes.put(id, "new"),
    before: ["undefined undefined"],
    after: ["new undefined"],
  }),
  transact: onStore({ run: both, before: ["undefined undefined"], after: ["new 1"] }),
  delete: onStore({
    prepare: both,
    run: ({ tables: { notes } }, id) => notes.delete(id),
    before: ["new 1"],
    after: ["undefined 1"],
  }),
  "write anew": onStore({
    async run({ tables: { notes } }, id) {
      for (let at = 0; at < 4; at++) await notes.put(id, `${long}${at}`);
    },
    before: ["undefined undefined", "new undefined"],
    after: ["new undefined"],
  }),
  "open store": onStore({
    async open(_kind, folder) {
      return Object.assign(await open("", folder), { openOther: () => open("", `${folder}-other`) });
    },
    prepare: (store, id) => withOther(store, (other) => both(other, id)),
    run: (store) => withOther(store, async () => {}),
    look: (store, id) =>
      withOther(store, async ({ tables: { notes, counts } }) => `${notes.get(id)} ${counts.get(id)}`),
    async tidy() {},
    before: ["new 1"],
    after: ["new 1"],
  }),
};
