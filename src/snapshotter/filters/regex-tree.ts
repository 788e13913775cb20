/** What a regular expression is made of. The engine's answer is yes or no, so groups and greed leave no trace. */
export type RegexNode =
  | { readonly kind: "empty" }
  /** `parts` are how many tests `matches` may take. */
  | { readonly kind: "character"; readonly matches: CharacterTest; readonly parts: number }
  | { readonly kind: "assertion"; readonly holds: Assertion }
  | { readonly kind: "sequence" | "alternatives"; readonly nodes: readonly RegexNode[] }
  | { readonly kind: "repeat"; readonly node: RegexNode; readonly min: number; readonly max: number };

/** Of a code point. */
export type CharacterTest = (point: number) => boolean;

/** Of the code points before and after a place; `undefined` where the text begins or ends. */
export type Assertion = (before: number | undefined, after: number | undefined) => boolean;
