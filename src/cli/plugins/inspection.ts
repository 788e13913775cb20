import type { CapabilitiesAnswer } from "./ask-capabilities.ts";
import { printable } from "../terminal/printable.ts";
import type { Probe } from "./probe-plugin.ts";
import { formatTable } from "../terminal/table.ts";
import type { Trust } from "./trust.ts";

export interface InspectedPath {
  readonly path: string;
  /** "forbidden": this user may not see whether it is there; "of no use": something else stands there. */
  readonly outcome: "not there" | "forbidden" | "of no use" | "found" | "not looked at";
}

/** What `cleat inspect` tells; as JSON it is printed as it is. */
export interface Inspection extends Probe {
  readonly name: string;
  readonly address: string;
  /** In the order of precedence; none for a plugin that was named by its address. */
  readonly paths: readonly InspectedPath[];
  readonly trust: Trust | undefined;
  /** By protocol. */
  readonly capabilities: Readonly<Record<string, CapabilitiesAnswer>>;
  /** By method. */
  readonly deadlinesMs: Readonly<Record<string, number>>;
}

/** For people, in lines; every text of a stranger's is made harmless. */
export function formatInspection(inspection: Inspection): string[] {
  const { name, address, paths, trust, capabilities, deadlinesMs } = inspection;
  const answers = Object.entries(capabilities).map(([protocol, answer]) => [protocol, formatAnswer(answer)]);
  const deadlines = Object.entries(deadlinesMs).map(([method, ms]) => [method, `${ms / 1000} s`]);
  return [
    `Plugin "${printable(name)}"`,
    ...formatTable(
      [
        ["address", printable(address)],
        ["TLS", trust === undefined ? "none" : formatTrust(trust)],
        ["state", formatState(inspection)],
        ["implements", printable(inspection.implements?.join(", ") || "-", 400)],
      ],
      "  ",
    ),
    ...section(
      "Paths",
      paths.map(({ path, outcome }) => [outcome, printable(path)]),
    ),
    ...section("Capabilities", answers),
    ...section("Deadlines", deadlines),
  ];
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : ["", title, ...formatTable(rows, "  ")];
}

function formatState({ state, latencyMs, reason }: Probe): string {
  if (latencyMs !== undefined) return `${state}, answered in ${latencyMs.toFixed(1)} ms`;
  return `${state}: ${printable(reason ?? "", 400)}`;
}

function formatTrust({ verified, serverName, authorities, showsClientCertificate }: Trust): string {
  if (!verified) return "NOT VERIFIED: whoever answers is trusted";
  const named = authorities?.map(({ subject, validTo }) => `${subject}, until ${validTo}`).join("; ");
  return [
    `verified as ${printable(serverName)}`,
    `by ${named === undefined ? "the authorities that Node comes with" : `its CAFile (${printable(named, 400)})`}`,
    ...(showsClientCertificate ? ["with a client's certificate"] : []),
  ].join(", ");
}

function formatAnswer(answer: CapabilitiesAnswer): string {
  return printable("answer" in answer ? JSON.stringify(answer.answer) : answer.error, 400);
}
