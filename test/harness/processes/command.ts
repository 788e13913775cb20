import { execFile } from "node:child_process";

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
}

const maxBuffer = 64 * 1024 * 1024;

/**
 * Runs a command to its end and returns what it printed, each byte as one character (latin1), so that names which are
 * not UTF-8 stay what they are. Rejects with what it said on standard error when it fails.
 */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const [command = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    execFile(command, args, { ...options, encoding: "latin1", maxBuffer }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${formatCommand(argv)} ended with ${error.code}: ${stderr}${stdout}`.trim()));
      else resolve(stdout);
    });
  });
}

/** A script that is passed as an argument would hide what went wrong. */
function formatCommand(argv: readonly string[]): string {
  return argv.map((argument) => (argument.includes("\n") ? "<script>" : argument)).join(" ");
}
