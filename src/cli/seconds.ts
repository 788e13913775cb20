import { UsageError } from "./command.ts";

/** The value of an option that takes seconds, in milliseconds. @throws UsageError when it is no such number. */
export function parseSeconds(option: string, text: string): number {
  const seconds = Number(text);
  if (!/^[\d.]+$/.test(text) || !(seconds < 1e6)) {
    throw new UsageError(`--${option} takes a number of seconds, not "${text}"`);
  }
  return Math.round(seconds * 1000);
}
