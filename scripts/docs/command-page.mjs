/** The page of the command: what it says of itself, command by command. */
import { spawnSync } from "node:child_process";
import { exitCodes } from "#dist/cli/terminal/exit-codes.js";
import { cliEntry } from "../prepare.mjs";
import { formatMarkdownTable, madeBy } from "./markdown.mjs";

/** @returns {[path: string, text: string]} */
export function commandPage() {
  const codes = Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning]);
  const commands = listCommands();
  const rows = commands.map(({ name, summary }) => [`[\`cleat ${name}\`](#${anchor(name)})`, summary]);
  const text = `# The command

${madeBy}
\`npx cleat COMMAND\` where the package is installed, \`node dist/cli/main.js COMMAND\` in a clone that was built.

${formatMarkdownTable(["command", "what it does"], rows)}

Results go to standard output, everything else to standard error. Every command ends with one of these:

${formatMarkdownTable(["exit code", "meaning"], codes)}

${commands.map(({ name }) => formatCommand(name)).join("\n")}`;
  return ["docs/command.md", text];
}

/** As the command lists them itself. */
function listCommands() {
  const lines = help("").matchAll(/^ {2}cleat ([a-z]+(?: [a-z]+)*)(?: [A-Z[].*?)? {2,}(.*)$/gm);
  return [...lines].map(([, name, summary]) => ({ name, summary }));
}

function formatCommand(name) {
  const [text] = help(name).split("\nExit codes:\n");
  return `## cleat ${name}\n\n\`\`\`console\n$ npx cleat help ${name}\n${text}\`\`\`\n`;
}

function help(name) {
  const words = ["help", ...name.split(" ").filter((word) => word !== "")];
  const { stdout, status } = spawnSync(process.execPath, [cliEntry, ...words], { encoding: "utf8" });
  if (status !== 0) throw new Error(`cleat ${words.join(" ")} ended with ${status}`);
  return stdout;
}

function anchor(name) {
  return `cleat-${name.replace(" ", "-")}`;
}
