/** Addresses of IPv4 as numbers, and ranges of them in CIDR notation. */
import { AssertionError } from "node:assert";
import { isIPv4 } from "node:net";

export interface AddressRange {
  readonly first: number;
  readonly last: number;
  /** Of the prefix: 16 of "10.1.0.0/16". */
  readonly length: number;
}

/** @throws AssertionError when it is no address of IPv4. */
export function parseAddress(text: string): number {
  if (!isIPv4(text)) throw new AssertionError({ message: `"${text}" is not an address of IPv4` });
  return text.split(".").reduce((address, part) => address * 256 + Number(part), 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

/** @throws AssertionError when it is none, or its address has bits beyond the prefix. */
export function parseRange(text: string): AddressRange {
  const [, address = "", digits = ""] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  const [first, length] = [parseAddress(address), Number(digits)];
  const size = 2 ** (32 - length);
  if (length > 32 || first % size !== 0) throw new AssertionError({ message: `"${text}" is not a range of IPv4` });
  return { first, last: first + size - 1, length };
}

export function formatRange({ first, length }: Pick<AddressRange, "first" | "length">): string {
  return `${formatAddress(first)}/${length}`;
}

export function overlap(one: AddressRange, other: AddressRange): boolean {
  return one.first <= other.last && other.first <= one.last;
}

export function isIn(address: number, { first, last }: AddressRange): boolean {
  return address >= first && address <= last;
}

/** The `at`-th part with a prefix of `length`. */
export function partOf(range: AddressRange, length: number, at: number): AddressRange {
  const size = 2 ** (32 - length);
  const first = range.first + at * size;
  return { first, last: first + size - 1, length };
}
