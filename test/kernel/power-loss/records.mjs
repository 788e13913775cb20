/**
 * Records of `cleat/state`, written while the power fails: each at the last acknowledged number, or a
 * later one that was begun.
 */
import assert from "node:assert/strict";
import { z } from "zod";

import { openStore } from "cleat/state";

/** So long that the file is written anew now and then. */
const padding = "x".repeat(2_000);
const record = z.strictObject({ number: z.int(), padding: z.string() });
const open = (disk) => openStore({ folder: `${disk}/state`, tables: { records: record } });

const single = ["a", "b", "c"];
/** Are changed together. */
const pair = ["left", "right"];
const fleeting = "fleeting";
const changesOfRound = 12;

export function records() {
  return {
    async work(disk, mark, rounds) {
      const store = await open(disk);
      const { records: table } = store.tables;
      const valueOf = (number) => ({ number, padding });
      const acknowledged = async (ids, number, change) => {
        for (const id of ids) mark({ id, is: `begun: ${number}` });
        await change();
        for (const id of ids) mark({ id, is: `acknowledged: ${number}` });
      };
      for (let number = 1; number <= rounds * changesOfRound; number++) {
        const changes = single.map((id) => acknowledged([id], number, () => table.put(id, valueOf(number))));
        const together = (tables) => pair.forEach((id) => tables.records.put(id, valueOf(number)));
        changes.push(acknowledged(pair, number, () => store.transact(together)));
        await Promise.all(changes);
        if (number % 3 === 0) await acknowledged([fleeting], number, () => table.put(fleeting, valueOf(number)));
        if (number % 3 === 1 && number > 3) {
          mark({ id: fleeting, is: "going" });
          await table.delete(fleeting);
          mark({ id: fleeting, is: "gone" });
        }
      }
      await store.close();
    },

    /** The number of each, as "at: 7". */
    async find(disk, ids) {
      const store = await open(disk);
      const found = new Map(ids.map((id) => [id, "absent"]));
      for (const [id, { number, padding: kept }] of store.tables.records.entries())
        found.set(id, kept === padding ? `at: ${number}` : "damaged");
      await store.close();
      return found;
    },

    /** By the last mark of each; before that one it had been acknowledged at one less, or never. */
    assertKept(found, as) {
      for (const [id, state] of found) {
        assert.notEqual(state, "damaged", id);
        const [is, number] = (as.get(id) ?? "going").split(": ");
        const kept = state === "absent" ? 0 : Number(state.slice("at: ".length));
        if (is === "gone") assert.equal(state, "absent", id);
        if (is === "acknowledged") assert.equal(kept, Number(number), id);
        const before = id === fleeting ? 0 : Number(number) - 1;
        if (is === "begun") assert.ok([before, Number(number)].includes(kept), `${id} is ${state}, ${as.get(id)}`);
      }
      const [left, right] = pair.map((id) => found.get(id) ?? "absent");
      assert.equal(left, right, "what was changed together");
    },
  };
}
