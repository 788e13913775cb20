import { describe, expect, it } from "vitest";
import { formatAddress, parseAddress } from "../index.ts";

describe("an address", () => {
  it.each([
    ["unix:///run/docker/plugins/p.sock", { unix: "/run/docker/plugins/p.sock" }],
    ["tcp://127.0.0.1:8080", { tcp: { host: "127.0.0.1", port: 8080 } }],
    ["tcp://[::1]:8080", { tcp: { host: "::1", port: 8080 } }],
    ["https://plugins.example:8443", { https: { host: "plugins.example", port: 8443 } }],
    ["https://[fe80::1]:1", { https: { host: "fe80::1", port: 1 } }],
  ])("%s is read and written the same", (text, address) => {
    expect(parseAddress(text)).toEqual(address);
    expect(formatAddress(address)).toBe(text);
  });

  it.each([
    ["http://localhost:1", "tcp://localhost:1"],
    ["http://localhost", "tcp://localhost:80"],
    ["tcp://localhost:1/", "tcp://localhost:1"],
    ["https://example.com/docker/plugin", "https://example.com:443"], // Docker's manual has this one
    ["https://[::1]/x", "https://[::1]:443"],
  ])("%s means %s, as to Docker", (text, meant) => {
    expect(formatAddress(parseAddress(text))).toBe(meant);
  });

  it.each([
    "",
    "p.sock",
    "unix://relative.sock",
    "tcp://",
    "tcp://:1",
    "tcp://host:99999",
    "tcp://host:1x",
    "tcp://::1:1",
    "tcp://[1:2]:3",
    "tcp://[localhost]:3",
    "tcp://a b:1",
    "tcp://host:1\nX: y",
    "https://user:secret@host:1",
    "https://host:1?x=y",
    "https://host:1#x",
    "HTTPS://host:1",
    "ftp://host:1",
    "fd://3",
  ])("%j is none", (text) => {
    expect(() => parseAddress(text)).toThrow(
      `address ${JSON.stringify(text)} is none of unix:///PATH, tcp://HOST:PORT`,
    );
  });
});
