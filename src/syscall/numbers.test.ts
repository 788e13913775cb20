import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { systemCallNumbers } from "./index.ts";

const headers = {
  x64: ["/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"],
  arm64: ["/usr/include/asm-generic/unistd.h"],
} as const;

describe.each(["x64", "arm64"] as const)("the system call numbers of %s", (arch) => {
  const header = headers[arch].find((path) => existsSync(path));
  it("are the kernel's", ({ skip }) => {
    if (header === undefined)
      return skip(`${headers[arch][0]} is not here (bring it with: apt-get install linux-libc-dev)`);
    const kernels = parseNumbers(readFileSync(header, "utf8"));
    const ours = systemCallNumbers[arch];
    expect(ours).toEqual(Object.fromEntries(Object.keys(ours).map((name) => [name, kernels.get(name)])));
  });

  it("are each another call's", () => {
    const numbers = Object.values(systemCallNumbers[arch]);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});

it("both machines know the same calls", () => {
  expect(Object.keys(systemCallNumbers.arm64).toSorted()).toEqual(Object.keys(systemCallNumbers.x64).toSorted());
});

/** 64-bit machines take the numbers that the generic header keeps under `__NR3264_`. */
function parseNumbers(text: string): Map<string, number> {
  const found = text.matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)$/gm);
  return new Map([...found].map(([, name, number]) => [name as string, Number(number)]));
}
