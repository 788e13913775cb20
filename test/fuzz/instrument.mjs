/**
 * A loader hook: puts a counter into every branch of the built package as Node loads it, so that the fuzzer sees which
 * input takes a way that none took before. Other modules are left alone.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseAst } from "rolldown/parseAst";

const distUrl = new URL("../../dist/", import.meta.url).href;

export async function load(url, context, next) {
  if (!url.startsWith(distUrl) || !url.endsWith(".js")) return next(url, context);
  const source = await readFile(fileURLToPath(url), "utf8");
  return { format: "module", shortCircuit: true, source: instrument(source) };
}

/** What runs only sometimes, by the kind of node that decides on it. */
const branches = {
  IfStatement: ["consequent", "alternate"],
  ForStatement: ["body"],
  ForOfStatement: ["body"],
  ForInStatement: ["body"],
  WhileStatement: ["body"],
  DoWhileStatement: ["body"],
  FunctionDeclaration: ["body"],
  FunctionExpression: ["body"],
  ArrowFunctionExpression: ["body"],
  CatchClause: ["body"],
  ConditionalExpression: ["consequent", "alternate"],
  LogicalExpression: ["right"],
};

/** @param {string} source */
export function instrument(source) {
  const edits = [];
  let count = 0;
  const counter = () => `__hits[__base+${count++}]++`;
  const wrap = (node) => {
    if (node.type === "BlockStatement") edits.push([node.start + 1, `${counter()};`]);
    else if (node.type.endsWith("Statement")) edits.push([node.start, `{${counter()};`], [node.end, "}"]);
    else edits.push([node.start, `(${counter()},`], [node.end, ")"]);
  };
  const visit = (node) => {
    if (node === null || typeof node !== "object") return;
    if (Array.isArray(node)) return node.forEach(visit);
    for (const key of branches[node.type] ?? []) if (node[key]) wrap(node[key]);
    if (node.type === "SwitchCase" && node.consequent.length > 0)
      edits.push([node.consequent[0].start, `${counter()};`]);
    for (const [key, child] of Object.entries(node)) if (key !== "parent") visit(child);
  };
  visit(parseAst(source));
  // What begins at one place: the outer wraps the inner; what ends there: the inner first.
  let text = "";
  let at = 0;
  for (const [place, inserted] of edits.map((edit, order) => [...edit, order]).toSorted(byPlace)) {
    text += source.slice(at, place) + inserted;
    at = place;
  }
  const head = `const __hits=globalThis.fuzzCoverage.hits,__base=globalThis.fuzzCoverage.take(${count});`;
  return head + text + source.slice(at);
}

function byPlace([one, oneText, oneOrder], [other, otherText, otherOrder]) {
  if (one !== other) return one - other;
  const [oneEnds, otherEnds] = [isEnd(oneText), isEnd(otherText)];
  if (oneEnds !== otherEnds) return oneEnds ? -1 : 1;
  return oneEnds ? otherOrder - oneOrder : oneOrder - otherOrder;
}

const isEnd = (text) => text === "}" || text === ")";
