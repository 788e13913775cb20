/** Below the title of every page that is made. */
export const madeBy = "<!-- Made by `npm run docs` from the tables in the source; a test holds it against them. -->\n";

/** @type {(header: readonly string[], rows: readonly (readonly string[])[]) => string} */
export function formatMarkdownTable(header, rows) {
  const lines = [header, header.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n");
}
