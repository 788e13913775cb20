import type { StoreFinding } from "../../graphdriver/index.ts";
import type { LayerStore } from "../../layerstore/index.ts";
import { type CommandContext, defineCommand, UsageError } from "../terminal/command.ts";
import { printable, printableJson } from "../terminal/printable.ts";
import { storeOptions, visitStores } from "./store-options.ts";

export const fsck = defineCommand({
  details: [
    "HOME is as in cleat layers. Without --repair nothing is locked or changed, and the store may be in use: what is",
    "just being made or removed there is then passed over.",
    "",
    "--repair never deletes what holds content, nor unmounts a layer that is whole. It refuses while the store is",
    "being served; for a store of Docker's own driver, while anything in it is mounted or any process has a file of",
    "Docker's open. A store of Podman's own is only looked at.",
    "",
    "The exit code is 0 when nothing is wrong, or nothing any more; 5 when something is; 1 when a store could not be",
    "looked at.",
  ],
  options: {
    ...storeOptions,
    repair: { type: "boolean", help: "mend what can be mended safely, and say what was left and why" },
    "remove-orphans": {
      type: "boolean",
      help: "with --repair: remove layers whose parent is gone or the engine forgot",
    },
    json: { type: "boolean", help: 'print one line of JSON, {"version": 1, "stores": [...]}' },
  },
  async run(values, operands, context) {
    const removeOrphans = values["remove-orphans"] === true;
    if (removeOrphans && values.repair !== true) throw new UsageError("--remove-orphans goes with --repair");
    const checks: StoreChecked[] = [];
    const isComplete = await visitStores("fsck", operands, values, context, async (store) => {
      const checked = values.repair === true ? await repair(store, removeOrphans) : await check(store);
      checks.push(checked);
      if (values.json !== true) print(checked, context);
    });
    if (values.json === true) context.stdout.write(`${printableJson({ version: 1, stores: checks.map(toJson) })}\n`);
    if (!isComplete) return "failed";
    return checks.some(({ findings }) => findings.length > 0) ? "findings" : "done";
  },
});

interface StoreChecked {
  readonly driver: string;
  readonly home: string;
  readonly inUse: boolean;
  readonly repaired: readonly StoreFinding[];
  /** What is wrong still. */
  readonly findings: readonly StoreFinding[];
}

async function check(store: LayerStore): Promise<StoreChecked> {
  const { findings, inUse } = await store.check();
  return { driver: store.driver, home: store.home, inUse, repaired: [], findings: await withRecords(store, findings) };
}

async function repair(store: LayerStore, removeOrphans: boolean): Promise<StoreChecked> {
  const { repaired, left } = await store.repair({ removeOrphans });
  return { driver: store.driver, home: store.home, inUse: false, repaired, findings: await withRecords(store, left) };
}

/** With what is wrong with a snapshotter's records: its layers may be whole, and it refuses to serve them. */
async function withRecords(store: LayerStore, findings: readonly StoreFinding[]): Promise<readonly StoreFinding[]> {
  const { examineRecords } = await import("../../snapshotter/index.ts");
  const trouble = await examineRecords(store.home, async () => (await store.describe()).layers.map(({ id }) => id));
  if (trouble === undefined) return findings;
  const obstacle = "what is to be kept, the records or the layers, is for you to say";
  return [...findings, { kind: "snapshots-unusable", layer: undefined, ...trouble, obstacle }];
}

function print({ driver, home, inUse, repaired, findings }: StoreChecked, { stdout }: CommandContext): void {
  const counts = [
    ...(repaired.length === 0 ? [] : [`${repaired.length} repaired`]),
    ...(findings.length === 0 ? [] : [`${findings.length} wrong`]),
  ];
  const use = inUse ? " (in use: what is being made or removed was passed over)" : "";
  stdout.write(`${driver} at ${printable(home)}: ${counts.join(", ") || "nothing is wrong"}${use}\n`);
  for (const finding of repaired) stdout.write(`  repaired  ${describe(finding)}\n`);
  for (const finding of findings) {
    const obstacle =
      finding.obstacle === undefined ? "--repair mends it" : `left alone: ${printable(finding.obstacle)}`;
    stdout.write(`  wrong     ${describe(finding)}\n            ${obstacle}\n`);
  }
}

function describe({ kind, problem }: StoreFinding): string {
  return `${kind}: ${printable(problem, 400)}`;
}

/**
 * Version 1: per store `driver`, `home`, `inUse`, and as `repaired` and `findings` lists of `kind`
 * (`storeFindingKinds`), `path` relative to the home, `layer` and `obstacle` (or `null`) and `problem`.
 */
function toJson({ repaired, findings, ...store }: StoreChecked): object {
  const row = ({ kind, path, layer, problem, obstacle }: StoreFinding): object => ({
    kind,
    path,
    layer: layer ?? null,
    problem,
    obstacle: obstacle ?? null,
  });
  return { ...store, repaired: repaired.map(row), findings: findings.map(row) };
}
