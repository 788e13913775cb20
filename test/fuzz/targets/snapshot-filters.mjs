/** containerd's language of filters, and the regular expressions in it. */
import { parseFilters } from "#dist/snapshotter/filters/parse-filter.js";

export const codes = ["INVALID_ARGUMENT"];
export const dictionary = [
  "kind",
  "labels.",
  "name",
  "==",
  "!=",
  "~=",
  ",",
  '"',
  "\\x41",
  "\\u00e9",
  "/",
  "|",
  "^(a|b)*$",
  "[[:alpha:]]",
  "\\pL",
  "(?i)",
  "{2,5}",
  "{1000}",
  "(?P<n>",
  "\\Q",
  "\\z",
];
export const seeds = [
  'kind==active,labels."containerd.io/gc.root"==check',
  'parent!=""',
  "labels.l",
  "name~=/^default\\/[0-9]+\\//",
  'name~="(a+)+$"',
  "name~=|[^\\d\\pL]{2,5}?|",
];

const fields = { kind: "active", name: `default/12/${"a".repeat(100)}`, parent: "é\u{1f600}", "labels.l": "" };

export function run(input) {
  parseFilters([input.toString()])((path) => fields[path.join(".")]);
}
