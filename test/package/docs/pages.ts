/** The pages that a reader gets, and the blocks of code in them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const project = join(import.meta.dirname, "../../..");

export interface CodeBlock {
  /** After the fence: "ts", "console scratch". */
  readonly kind: string;
  readonly text: string;
}

export interface Page {
  /** In the repository. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly CodeBlock[];
}

const inDocs = readdirSync(join(project, "docs"), { recursive: true, encoding: "utf8" });

export const pages: readonly Page[] = [
  "README.md",
  "examples/README.md",
  ...inDocs.filter((path) => path.endsWith(".md")).map((path) => `docs/${path}`),
].map((path) => {
  const text = readFileSync(join(project, path), "utf8");
  const blocks = [...text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(([, kind = "", code = ""]) => ({
    kind,
    text: code,
  }));
  return { path, text, blocks };
});

/** The blocks of a kind, each with its page. */
export function blocksOf(...kinds: readonly string[]): (CodeBlock & { readonly page: string })[] {
  return pages.flatMap(({ path, blocks }) =>
    blocks.filter(({ kind }) => kinds.includes(kind)).map((block) => ({ ...block, page: path })),
  );
}
