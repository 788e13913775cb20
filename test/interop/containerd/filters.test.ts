import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { filterInfos } from "../../../src/snapshotter/filters/filter-infos.ts";
import { compileRegex } from "../../../src/snapshotter/filters/regex.ts";
import type { SnapshotInfo } from "../../../src/snapshotter/index.ts";
import { describeWith, needs } from "../../needs.ts";
import { buildGoProgram, debianGo } from "../go-program.ts";
import { containerdSource } from "./source.ts";

const labels = { "containerd.io/gc.root": "check", plain: "a,b", "a.b": "dots", l: "" };
const info: SnapshotInfo = {
  name: 'default/3/k "x"',
  kind: "active",
  parent: undefined,
  labels,
  createdNs: 0n,
  updatedNs: 0n,
};
const fields = { name: info.name, kind: info.kind, parent: "" };

/** What we say of a case, in the words of `filters/main.go`. */
function judge(decide: () => boolean): string {
  try {
    return String(decide());
  } catch (error) {
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
    return "malformed";
  }
}

describeWith([needs.go, containerdSource], "containerd's own filters", () => {
  let folder: string;
  let program: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cleat-filters-"));
    program = await buildGoProgram(join(import.meta.dirname, "filters"), folder, [debianGo]);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const ask = (trials: readonly object[]): string[] => {
    const input = trials.map((trial) => JSON.stringify(trial)).join("\n");
    return execFileSync(program, { input, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 })
      .trimEnd()
      .split("\n");
  };

  it("say the same of any filter", () => {
    const piece = fc.oneof(
      fc.constantFrom("name", "kind", "labels", "parent", "l", "plain", "a", "b", "check", "active", "x_1"),
      fc.constantFrom(
        "==",
        "!=",
        "~=",
        ",",
        ".",
        "=",
        "!",
        " ",
        "\t",
        "\u00a0",
        "==active",
        "!=x",
        ",kind",
        "labels.a.b",
      ),
      fc.constantFrom('"', "/", "|", "\\", "\\n", "\\t", "\\x41", "\\101", "\\u00e9", "\\q", '\\"', "\\/", "'", "`"),
      fc.constantFrom('"containerd.io/gc.root"', '"a,b"', '"active"', "/^def/", "|act|", '""', '"\\x61ctive"'),
      fc.constantFrom("\u00e9", "\u2028", "\u{1f9f5}", "\u0301", "\u200b", "\ufffd", "-", "*", "(", "0"),
    );
    const filter = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join(""));
    // A pattern that is none is an error of ours only.
    const usable = filter.filter((text) => !/~=/.test(text) || isUsable(text));
    const trials = fc.sample(fc.array(usable, { maxLength: 3 }), 5_000).map((filters) => ({ filters, fields, labels }));
    const theirs = ask(trials);
    const different = trials
      .map(({ filters }, at) => ({ filters, theirs: theirs[at], ours: judge(() => filterInfos(filters)(info)) }))
      .filter(({ theirs: one, ours }) => one !== ours);
    expect(different).toEqual([]);
    expect(new Set(theirs)).toEqual(new Set(["true", "false", "malformed"]));
  });

  it("understand regular expressions as Go does", () => {
    const atom = fc.constantFrom(...atoms.split(" "), "\n", " ", "\\\n", "|");
    const repeat = fc.constantFrom(
      "",
      "",
      "",
      "",
      "*",
      "+",
      "?",
      "*?",
      "+?",
      "??",
      "{2}",
      "{1,2}",
      "{2,}",
      "{2}?",
      "**",
      "{3,2}",
    );
    const pattern = fc.array(
      fc.tuple(atom, repeat).map((parts) => parts.join("")),
      { minLength: 1, maxLength: 5 },
    );
    const text = fc.string({
      unit: fc.constantFrom("a", "b", "A", "B", "1", "_", ".", " ", "\n", "\u00e9", "\u03b1"),
      maxLength: 6,
    });
    const trials = fc
      .sample(fc.tuple(pattern, text), 5_000)
      .map(([parts, sample]) => ({ pattern: parts.join(""), text: sample }))
      .filter((trial) => !newerGo.test(trial.pattern));
    const theirs = ask(trials);
    const different = trials
      .map((trial, at) => ({
        ...trial,
        theirs: theirs[at],
        ours: judge(() => compileRegex(trial.pattern)(trial.text)),
      }))
      .filter(({ theirs: one, ours }) => one !== ours);
    expect(different).toEqual([]);
    expect(new Set(theirs)).toEqual(new Set(["true", "false", "malformed"]));
  });
});

const atoms =
  String.raw`a b B . [ab] [^a] [a-c] []a] [^]a] [a-] \d \D \w \s \S (ab|b) (?:a|) () (?P<n>a) ^ $ \A \z \b \B \. \x61
\x{e9} \141
[[:alpha:]] [[:^digit:]_] [[:^lower:]] [\P{Lu}b] \W \p{^Ll}
\pL \p{Greek} \P{Lu} [\d_] (?i) (?i:aB) (?s). (?m)^ (?m)$ (?-i) (?is-m:a.) \Qa.b\E \Q*
\u00e9 \u00c9 \u03b1 1 _ | ( ) [ { } {,2} \ \1 \8 \y (? (?<a>b) (?=a) [b-a] [[:foo:]] \p{Foo} (?) (?-)`
    .replaceAll("\n", " ")
    .replaceAll(/\\u([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

/** Groups named `(?<a>b)` are understood from Go 1.22 on, and by us. */
const newerGo = /\(\?</;

function isUsable(filter: string): boolean {
  try {
    filterInfos([filter]);
    return true;
  } catch (error) {
    return !String(error).includes("regular expression");
  }
}
