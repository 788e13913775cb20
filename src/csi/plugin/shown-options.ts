import type { Volume } from "../../volume/index.ts";
import { sizeOption } from "../../volumedrivers/index.ts";
import type { CsiContext } from "./context.ts";

/** What an option of a volume is, where the driver shows it under `Options` of its status. */
export function shownOption({ status }: Volume, option: string | undefined): string | undefined {
  const options = status?.["Options"];
  if (option === undefined || typeof options !== "object" || options === null) return undefined;
  const value = Object.hasOwn(options, option) ? (options as Record<string, unknown>)[option] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** The size that it was given last. What a file system in it tells is a little less. */
export function sizeOf(volume: Volume, { sizeOption: option }: CsiContext): bigint | undefined {
  const size = sizeOption().safeParse(shownOption(volume, option));
  return size.success ? BigInt(size.data) : undefined;
}

/** The size that a copy of the volume needs: that which it was given, else, as far as the driver shows it, has. */
export function leastSizeOf(volume: Volume, context: CsiContext): bigint | undefined {
  const has = volume.status?.["SizeBytes"];
  const known = typeof has === "number" && Number.isSafeInteger(has) && has > 0 ? BigInt(has) : undefined;
  return sizeOf(volume, context) ?? known;
}
