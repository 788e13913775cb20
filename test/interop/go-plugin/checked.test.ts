/** What `cleat check` finds in a volume plugin written in Go, as many are; `docs/checking-plugins.md` tells of it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type CheckResult,
  runAuthzKit,
  runIpamDriverKit,
  runPluginKit,
  runVolumeDriverKit,
} from "../../../src/testing/index.ts";
import { describeWith, needs } from "../../needs.ts";
import { buildGoProgram } from "../go-program.ts";
import { startGoVolumePlugin } from "./volume-plugin.ts";

/** In its program each of these can be read off. */
const shortcomings = [
  "VolumeDriver/unknown-fields",
  "life/options-misspelt",
  "holders/stranger",
  "holders/given-back-twice",
  "files/folder",
  "files/kept",
  "files/seen-by-all",
  "files/apart",
  "files/empty-again",
  "wire/names-that-leave",
  "restart/after-create",
  "restart/after-mount",
  "restart/after-mount-of-another",
  "restart/after-unmount",
  "restart/after-last-unmount",
];

/** Of a policy and of a ledger, as tutorials have them (`others`). */
const others = {
  policy: ["closed/no-request", "closed/escaped-path", "closed/body-missing"],
  ledger: [
    "pool/overlap",
    "pool/malformed",
    "pool/sub-pool",
    "address/outside",
    "address/all-given",
    "restart/after-pool",
    "restart/after-address",
    "restart/after-address-released",
  ],
};

const notPassed = (results: readonly CheckResult[]) =>
  results.filter(({ outcome }) => outcome !== "passed").map(({ id }) => id);

describeWith([needs.go], "the kits against a volume plugin in Go", () => {
  let folder: string;
  let program: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cleat-go-"));
    program = await buildGoProgram(join(import.meta.dirname, "server"), folder);
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("find what it does not do, and nothing else", async () => {
    const socket = join(folder, "go.sock");
    let plugin = await startGoVolumePlugin(program, socket);
    const killAndRestart = async () => {
      await plugin[Symbol.asyncDispose]();
      plugin = await startGoVolumePlugin(program, socket);
    };
    try {
      const address = { unix: socket };
      const generic = await runPluginKit({ address, idleMs: 100 });
      const ofVolumes = await runVolumeDriverKit({ address, killAndRestart });
      expect([...notPassed(generic), ...notPassed(ofVolumes)]).toEqual(shortcomings);
    } finally {
      await plugin[Symbol.asyncDispose]();
    }
  });

  test.each(Object.entries({ policy: runAuthzKit, ledger: runIpamDriverKit }))(
    "find what a %s in Go does not do, and nothing else",
    async (kind, run) => {
      const several = await buildGoProgram(join(import.meta.dirname, "others"), folder);
      const socket = join(folder, `${kind}.sock`);
      let plugin = await startGoVolumePlugin(several, socket, kind);
      const killAndRestart = async () => {
        await plugin[Symbol.asyncDispose]();
        plugin = await startGoVolumePlugin(several, socket, kind);
      };
      try {
        const address = { unix: socket };
        const generic = await runPluginKit({ address, idleMs: 100 });
        const own = await run({ address, killAndRestart });
        expect([...notPassed(generic), ...notPassed(own)]).toEqual(others[kind as keyof typeof others]);
      } finally {
        await plugin[Symbol.asyncDispose]();
      }
    },
  );

  test("find what the page says", async () => {
    const page = await readFile(join(import.meta.dirname, "../../../docs/checking-plugins.md"), "utf8");
    for (const id of [...shortcomings, ...Object.values(others).flat()])
      expect(page).toContain(`\`${id.replace(/^(files|restart)\/.*/, "$1/")}`);
  });
});
