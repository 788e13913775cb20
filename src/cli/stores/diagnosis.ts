import type { Diagnosis, DriverFindings, PrivilegeFindings } from "../../selection/index.ts";
import type { FuseFindings } from "../../drivers/index.ts";
import type { EngineFinding, EngineReport } from "../containerd/diagnosis/engine-findings.ts";
import { printable } from "../terminal/printable.ts";
import { formatTable } from "../terminal/table.ts";

type Row = readonly [name: string, value: string];
type Feature = DriverFindings["features"][number];

/** For people, in lines. */
export function formatDiagnosis(diagnosis: Diagnosis, engines: readonly EngineReport[]): string[] {
  const { kernel, privileges, fuse, drivers, fileSystem, chosen } = diagnosis;
  const sections: [title: string, rows: readonly Row[]][] = [
    [
      "Machine",
      [
        ["kernel", `${kernel.release} on ${kernel.architecture}`],
        ["user", formatUser(privileges)],
        ["user namespace", formatNamespace(privileges)],
        ["FUSE", formatFuse(fuse)],
      ],
    ],
    [
      "Folder",
      [
        ["looked at", formatFolder(diagnosis)],
        ["file system", fileSystem.type === null ? fileSystem.name : `${fileSystem.name} (${fileSystem.type})`],
        ...fileSystem.features.map(formatFeature),
        ["holds", diagnosis.prior.length === 0 ? "no layers" : `layers of ${diagnosis.prior.join(", ")}`],
      ],
    ],
    ...drivers.map(({ name, features }): [string, Row[]] => [`For ${name}`, features.map(formatFeature)]),
    [
      "Drivers",
      drivers.map(({ name, verdict, why }) => [name, verdict === "unsupported" ? why : `${verdict}: ${why}`]),
    ],
    ...engines.map(({ engine, what, findings }): [string, Row[]] => [
      engine,
      [...(what === "" ? [] : [["found", what] as const]), ...findings.map(formatFinding)],
    ]),
  ];
  const shown = sections.filter(([, rows]) => rows.length > 0);
  const indented = shown.map(([title, rows]) => [title, ...formatTable(makePrintable(rows), "  "), ""]);
  return [...indented.flat(), chosen === null ? "No driver can be chosen." : `The driver is ${chosen}.`];
}

/** Paths and names of file systems are others' texts. */
function makePrintable(rows: readonly Row[]): Row[] {
  const width = Math.max(...rows.map(([name]) => name.length), columnWidth);
  return rows.map(([name, value]) => [name.padEnd(width), printable(value, 1_000)]);
}

/** So that the sections stand in one column. */
const columnWidth = "id-mapped layers".length;

function formatFolder({ place, folder }: Diagnosis): string {
  return place === folder ? folder : `${folder}, where ${place} would be made`;
}

function formatUser({ uid, mayMount }: PrivilegeFindings): string {
  return `${uid}, ${mayMount ? "who may mount" : "who may not mount"} (CAP_SYS_ADMIN)`;
}

function formatNamespace({ initialUserNamespace, uidMap, gidMap }: PrivilegeFindings): string {
  if (initialUserNamespace) return "the initial one";
  return `one with users ${uidMap.join(", ") || "none"}; groups ${gidMap.join(", ") || "none"}`;
}

function formatFuse({ device, program }: FuseFindings): string {
  const usable = device.usable ? device.path : `${device.path} cannot be used (${device.note})`;
  if (program === null) return `${usable}; no fuse-overlayfs in PATH`;
  return `${usable}; ${program.path} ${program.version ?? "of no known version"}`;
}

function formatFeature({ name, state, how, note }: Feature): Row {
  return [name, `${state} (${how})${note === undefined ? "" : `: ${note}`}`];
}

function formatFinding({ subject, state, text }: EngineFinding): Row {
  return [subject, state === "wrong" ? `wrong: ${text}` : text];
}
