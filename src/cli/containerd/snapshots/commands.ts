/** `cleat snapshots …`: one row each in the table of commands, with the options that they share. */
import { CleatError } from "../../../errors/index.ts";
import type { Usage } from "../../../snapshotter/index.ts";
import { type CommandBody, defineCommand, type CommandContext } from "../../terminal/command.ts";
import { printable, printableJson } from "../../terminal/printable.ts";
import { collectGarbage } from "./collect.ts";
import { connectionOptions, type ConnectionValues, openConnection, type SnapshotterConnection } from "./connection.ts";
import { formatSnapshots, formatTree, formatUsage, type SnapshotRow, toJson } from "./format-snapshots.ts";
import { isOfOneSnapshot } from "./of-one-snapshot.ts";
import { removeBrokenNames } from "./repair-names.ts";
import { type SurveyedSnapshot, surveySnapshots } from "./survey.ts";

const states = [
  "broken: containerd has the name, and the snapshotter nothing behind it; cleat snapshots repair mends that.",
  "orphaned: the snapshotter has it, and containerd no name for it; cleat snapshots gc has containerd collect it.",
  "One whose files cannot be read now is ok here, and mounted ?; cleat fsck ROOT tells of it, as the snapshotter's",
  "log does.",
];

const listOptions = {
  ...connectionOptions,
  "no-trunc": { type: "boolean", help: "show whole digests, and where snapshots are mounted" },
  json: { type: "boolean", help: 'print one line of JSON, {"version": 1, "snapshots": [...]}' },
} as const;

interface ListValues extends ConnectionValues {
  readonly "no-trunc"?: boolean | undefined;
  readonly json?: boolean | undefined;
}

type Format = (rows: readonly SnapshotRow[], truncate: boolean) => string[];

export const ls = defineListing(formatSnapshots, false, [
  "Names are those that containerd's clients use. Nothing is changed.",
  "",
  ...states,
]);
export const tree = defineListing(formatTree, false, [
  "Each snapshot stands below the one it lies on: ● begins a column, │ goes on in it.",
  "",
  ...states,
]);
export const du = defineListing(formatUsage, true, [
  "SIZE is what a snapshot takes beyond those it lies on. Of a committed one it is known; others are walked now.",
  "What several namespaces share counts once in the sum. One whose files cannot be read now is left out and named, and",
  "the exit code is 1 then.",
]);

function defineListing(format: Format, counts: boolean, details: readonly string[]): CommandBody {
  return defineCommand({
    details,
    options: listOptions,
    async run(values, _operands, context) {
      await using connection = await openConnection(values, context);
      const shown = { mounts: !counts || values.json === true };
      const snapshots = ofNamespace(await surveySnapshots(connection, shown), values);
      const uncounted: string[] = [];
      const rows = await Promise.all(
        snapshots.map(async (snapshot) => {
          const tell = (why: string) => void uncounted.push(`${subjectOf(snapshot)} is not counted: ${printable(why)}`);
          return { snapshot, usage: counts ? await usageOf(snapshot, connection, tell) : undefined };
        }),
      );
      print(rows, format, values, context);
      for (const line of uncounted.toSorted()) context.stderr.write(`cleat: ${line}\n`);
      return uncounted.length === 0 ? "done" : "failed";
    },
  });
}

function print(rows: readonly SnapshotRow[], format: Format, values: ListValues, { stdout }: CommandContext): void {
  const lines = values.json === true ? [printableJson(toJson(rows))] : format(rows, values["no-trunc"] !== true);
  stdout.write(`${lines.join("\n")}\n`);
}

function ofNamespace(snapshots: readonly SurveyedSnapshot[], { namespace }: ConnectionValues): SurveyedSnapshot[] {
  return snapshots.filter((snapshot) => namespace === undefined || snapshot.namespace === namespace);
}

/** Nothing for one that is gone meanwhile, nor for one of which it is told why it cannot be walked. */
async function usageOf(
  snapshot: SurveyedSnapshot,
  connection: SnapshotterConnection,
  tell: (why: string) => void,
): Promise<Usage | undefined> {
  const { state, name, namespace, backendName } = snapshot;
  if (state === "broken") return undefined;
  const client = connection.namespaces.find((one) => one.namespace === namespace)?.snapshots;
  try {
    return backendName === undefined ? await client?.usage(name) : await connection.backend.usage(backendName);
  } catch (error) {
    if (!isOfOneSnapshot(error)) throw error;
    if (error.code !== "NOT_FOUND") tell(error.message);
    return undefined;
  }
}

function subjectOf({ namespace, name }: SurveyedSnapshot): string {
  return `${printable(namespace)} ${printable(name)}`;
}

export const repair = defineCommand({
  details: [
    "Where the snapshotter has lost a snapshot, containerd still has its name: what needs it fails as not found, and",
    "pulling it again since it already exists. Those names are removed, children first, through containerd; then",
    "images can be pulled again. Containers that lie on a lost snapshot have lost their files with it, and have to be",
    "removed first.",
    "",
    "The exit code is 0 when nothing is broken, any more, and 5 when something is.",
  ],
  options: {
    ...connectionOptions,
    "dry-run": { type: "boolean", help: "say what would be removed, and change nothing" },
  },
  async run(values, _operands, context) {
    await using connection = await openConnection(values, context);
    const broken = ofNamespace(await surveySnapshots(connection, { mounts: false }), values).filter(
      ({ state }) => state === "broken",
    );
    const { stdout } = context;
    if (broken.length === 0) stdout.write("nothing is broken\n");
    if (values["dry-run"] === true) {
      for (const snapshot of broken) stdout.write(`broken   ${subjectOf(snapshot)}\n`);
      return broken.length === 0 ? "done" : "findings";
    }
    const snapshotsOf = (namespace: string) => {
      const found = connection.namespaces.find((one) => one.namespace === namespace);
      if (found === undefined) throw new CleatError("INTERNAL", `namespace "${namespace}" is none that was looked at`);
      return found.snapshots;
    };
    const repaired = await removeBrokenNames(broken, snapshotsOf);
    for (const { snapshot, obstacle } of repaired) {
      const left = obstacle === undefined ? "" : `: ${printable(obstacle)}`;
      stdout.write(`${obstacle === undefined ? "removed " : "left    "} ${subjectOf(snapshot)}${left}\n`);
    }
    return repaired.every(({ obstacle }) => obstacle === undefined) ? "done" : "findings";
  },
});

export const gc = defineCommand({
  details: [
    "containerd's collector takes away what no image, container or lease refers to, and visits a snapshotter only when",
    "it has reason to. It is given one, and waited for; then the snapshotter deletes what removed snapshots have left.",
  ],
  options: connectionOptions,
  async run(values, _operands, context) {
    await using connection = await openConnection(values, context);
    const count = async () =>
      (await surveySnapshots(connection, { mounts: false })).filter(({ state }) => state !== "broken").length;
    const before = await count();
    await collectGarbage(connection);
    await connection.backend.cleanup();
    const after = await count();
    context.stdout.write(`${before - after} collected, ${after} left\n`);
    return "done";
  },
});
