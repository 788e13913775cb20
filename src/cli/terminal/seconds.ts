import { UsageError } from "./command.ts";

/** Less than what Node's timers can wait, 24 days. */
const limitSeconds = 1_000_000;

/**
 * The value of an option that takes seconds, in milliseconds.
 * @throws UsageError when it is not such a number, or 0 where `least` does not allow that.
 */
export function parseSeconds(option: string, text: string, least: "some" | "none" = "some"): number {
  const seconds = Number(text);
  const isNumber = /^[\d.]+$/.test(text) && seconds < limitSeconds;
  if (isNumber && seconds > 0) return Math.max(1, Math.round(seconds * 1000));
  if (isNumber && seconds === 0 && least === "none") return 0;
  const range = `${least === "none" ? "from 0" : "more than 0"}, less than ${limitSeconds}`;
  throw new UsageError(
    `--${option} takes a number of seconds (${range}; 0.5 is half a second), not "${text.slice(0, 80)}"`,
  );
}
