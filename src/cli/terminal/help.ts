import type { Command, CommandRow } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";
import { formatTable } from "./table.ts";

const codes = Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning] as const);

/** What `cleat --help` prints; of the commands whose names begin with `prefix`. */
export function formatOverview(commands: readonly CommandRow[], prefix = ""): string {
  const rows = commands
    .filter(({ name }) => `${name} `.startsWith(prefix))
    .map(({ name, operands, summary }) => [`cleat ${name} ${operands}`.trimEnd(), summary] as const);
  return [
    "Container-engine plugins: serve them, find them, call them, and watch them at work.",
    "",
    "Commands (each has --help; cleat help COMMAND is the same):",
    ...formatTable(rows, "  "),
    "",
    "Everywhere: -h, --help, -V, --version",
    "",
    "Exit codes:",
    ...formatTable(codes, "  "),
    "",
  ].join("\n");
}

export async function formatHelp(command: Command): Promise<string> {
  const { name, operands, summary, details, options } = command;
  const rows = Object.entries(options).map(([option, { value, multiple, short, help }]) => {
    const flag = `${short === undefined ? "" : `-${short}, `}--${option}${value === undefined ? "" : ` ${value}`}`;
    return [flag, multiple === true ? `${help} (repeatable)` : help] as const;
  });
  return [
    `cleat ${name} [options] ${operands}`.trimEnd(),
    "",
    `${summary}`,
    ...(details.length > 0 ? ["", ...details] : []),
    "",
    "Options:",
    ...formatTable([...rows, ["-h, --help", "show this"]], "  "),
    ...((await command.furtherHelp?.()) ?? []),
    "",
    "Exit codes:",
    ...formatTable(codes, "  "),
    "",
  ].join("\n");
}
