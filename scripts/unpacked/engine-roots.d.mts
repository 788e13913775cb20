export type Suite = "trixie" | "forky";
export function rootFolder(suite: Suite): string;
export function hasRoot(suite: Suite): boolean;
