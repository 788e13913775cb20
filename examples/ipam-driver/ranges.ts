/** Addresses of IPv4 as numbers, and ranges of them in CIDR notation. */
import { isIPv4 } from "node:net";
import { CleatError } from "cleat/errors";

export interface Range {
  readonly first: number;
  /** Of the prefix: 16 of "10.1.0.0/16". */
  readonly length: number;
}

export function parseAddress(text: string): number {
  if (!isIPv4(text)) throw new CleatError("INVALID_ARGUMENT", `"${text}" is not an address of IPv4`);
  return text.split(".").reduce((address, part) => address * 256 + Number(part), 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

export function parseRange(text: string): Range {
  const [, address = "", length = ""] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  if (address === "" || Number(length) > 32)
    throw new CleatError("INVALID_ARGUMENT", `"${text}" is not a range of IPv4`);
  const size = 2 ** (32 - Number(length));
  return { first: Math.floor(parseAddress(address) / size) * size, length: Number(length) };
}

export function formatRange({ first, length }: Range): string {
  return `${formatAddress(first)}/${length}`;
}

export function contains(outer: Range, inner: Range): boolean {
  const size = 2 ** (32 - outer.length);
  return inner.length >= outer.length && Math.floor(inner.first / size) * size === outer.first;
}

export function overlap(one: Range, other: Range): boolean {
  return contains(one, other) || contains(other, one);
}
