/** Says how a script of this project's is called, and ends the process, when it is asked with `--help` or `-h`. */
export function answerHelp(usage) {
  if (!process.argv.slice(2).some((arg) => arg === "--help" || arg === "-h")) return;
  process.stdout.write(usage);
  process.exit(0);
}
