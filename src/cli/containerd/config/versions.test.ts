import { describe, expect, it } from "vitest";
import { hasFeature, parseContainerdVersion, parseVersion } from "./versions.ts";

describe("versions", () => {
  it.each([
    ["2.1.9", [2, 1, 9]],
    ["v2.2.0-rc.1", [2, 2, 0]],
    ["1.6.20~ds1", [1, 6, 20]],
    ["2.1.9+unknown", [2, 1, 9]],
    ["20.10.24+dfsg1", [20, 10, 24]],
    ["1.7", [1, 7, 0]],
    ["28", [28, 0, 0]],
  ])("are read out of %s", (text, [major, minor, patch]) => {
    expect(parseVersion(text)).toEqual({ major, minor, patch });
  });

  it.each(["", "latest", "-1.2", "1.2.3.4", "1..2"])("are not read out of %j", (text) => {
    expect(() => parseVersion(text)).toThrow(`${JSON.stringify(text)} is not a version`);
  });

  it("before those that are known are refused", () => {
    expect(() => parseContainerdVersion("1.5.18")).toThrow("containerd 1.5.18 is too old: Cleat knows 1.6 and later");
  });
});

describe("a feature", () => {
  it.each([
    ["1.6.31", "exports", false],
    ["1.6.32", "exports", true],
    ["1.7.15", "exports", false],
    ["1.7.16", "exports", true],
    ["2.0.0", "exports", true],
    ["2.4.0", "exports", true],
    ["1.6.40", "platform", false],
    ["1.7.22", "capabilities", false],
    ["1.6.20", "diffProxies", false],
    ["1.7.3", "diffProxies", false],
    ["1.7.4", "diffProxies", true],
    ["2.1.9", "rebase", false],
    ["2.2.0", "rebase", true],
    ["3.0.0", "rebase", true],
    ["2.0.7", "criTransfers", false],
    ["2.1.0", "criTransfers", true],
  ] as const)("of containerd %s: %s is %s", (version, feature, expected) => {
    expect(hasFeature(parseVersion(version), feature)).toBe(expected);
  });
});
