const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** A size for people, three digits of it: "1.43 MiB". */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toPrecision(value < 999.5 ? 3 : 4)} ${units[power]}`;
}
