import { expect, it } from "vitest";
import { readOptions } from "../../options/read-options.ts";
import { cifs } from "./cifs.ts";

it.each(["credentials", "cred"])("a share is not mounted as nobody because the kernel passes over %s", (name) => {
  const given = { device: "//server/share", o: `ro,${name}=/etc/secret` };
  expect(() => readOptions(cifs, given)).toThrow(`"o" takes no "${name}", which only mount.cifs reads`);
});
