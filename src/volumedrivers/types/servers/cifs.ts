import type { VolumeBackend } from "../../managed/volume-backend.ts";
import { hostAddress } from "./host-address.ts";
import { mountShare } from "./mount-share.ts";
import { mountListOption, valueIn, withoutOptions } from "../../options/mount-list.ts";
import { secretOption, textOption } from "../../options/option-types.ts";
import { usageWhileMounted } from "../kernel/usage-while-mounted.ts";

const options = {
  device: textOption(),
  o: mountListOption().default([]),
  username: textOption().optional(),
  password: secretOption().optional(),
  domain: textOption().optional(),
};

/**
 * A share of an SMB server: `device` is "//server/share". By the kernel alone, without mount.cifs, so that the password
 * is nobody's argument. Source: Linux v6.1 `fs/cifs/fs_context.c`; moby v26.1.0 `volume/local/local_unix.go` `mount`.
 */
export const cifs: VolumeBackend<typeof options> = {
  options,
  check({ device, o }) {
    if (serverOf(device) === undefined) return '"device" takes "//server/share"';
    const ofFile = ["credentials", "cred"].find((name) => valueIn(o, name) !== undefined);
    // The kernel passes over it, and would go to the server as nobody.
    if (ofFile !== undefined)
      return `"o" takes no "${ofFile}", which only mount.cifs reads; give username and password`;
    return undefined;
  },
  async mount({ options: { device, o, ...account }, target }, { signal }) {
    const server = valueIn(o, "addr") ?? valueIn(o, "ip") ?? serverOf(device) ?? "";
    const address = await hostAddress(server, { signal });
    const given = Object.entries(account).flatMap(([name, text]) => (text === undefined ? [] : [`${name}=${text}`]));
    await mountShare({
      type: "cifs",
      source: device,
      target,
      options: [...withoutOptions(o, "addr", "ip"), ...given, `ip=${address}`],
      signal,
    });
  },
  usage: usageWhileMounted,
};

function serverOf(device: string): string | undefined {
  return /^\/\/([^/]+)\/[^/]/.exec(device)?.[1];
}
