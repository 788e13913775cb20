import assert from "node:assert/strict";
import { constants, mkdtempSync, readdirSync } from "node:fs";
import { z } from "zod";

import { overlay2 } from "cleat/drivers";
import { createGraphDriverFromPlugin, createGraphDriverPlugin } from "cleat/graphdriver";
import { serve } from "cleat/plugin";
import { openStore } from "cleat/state";
import { createHttpTransport } from "cleat/transport";

/** Source: `arch/arm64/include/uapi/asm/fcntl.h` v6.1; on x86-64 they are others. */
export async function processor() {
  assert.equal(process.arch, "arm64");
  assert.equal(constants.O_DIRECTORY, 0o40000);
  assert.equal(constants.O_NOFOLLOW, 0o100000);
}

export async function state({ folder }) {
  const options = { folder: `${folder}/state`, tables: { rows: z.strictObject({ value: z.string() }) } };
  {
    await using store = await openStore(options);
    for (const name of ["a", "b"]) await store.tables.rows.put(name, { value: `of ${name}` });
    await store.tables.rows.delete("a");
  }
  await using store = await openStore(options);
  assert.equal(store.tables.rows.get("a"), undefined);
  assert.deepEqual(store.tables.rows.get("b"), { value: "of b" });
}

export async function socket({ folder }) {
  const home = mkdtempSync(`${folder}/served-`);
  const unix = `${home}/plugin.sock`;
  const plugin = await createGraphDriverPlugin({ open: overlay2.open });
  const running = await serve({ drivers: [plugin], listen: { unix } });
  const transport = createHttpTransport({ unix });
  try {
    const driver = await createGraphDriverFromPlugin(transport, { home: `${home}/layers`, name: "overlay2" });
    await driver.create("base");
    assert.deepEqual(readdirSync(await driver.get("base")), []);
    await driver.put("base");
    await driver.remove("base");
    assert.equal(await driver.exists("base"), false);
    await driver.cleanup();
  } finally {
    await transport.close();
    await running.close();
  }
}
