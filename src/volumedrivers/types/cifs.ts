import { lookup } from "node:dns/promises";
import type { VolumeBackend } from "../managed/volume-backend.ts";
import { mountFileSystem } from "../mounting/mount-file-system.ts";
import { mountListOption, valueIn, withoutOptions } from "../options/mount-list.ts";
import { secretOption, textOption } from "../options/option-types.ts";
import { usageWhileMounted } from "./usage-while-mounted.ts";

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
  check: ({ device }) => (serverOf(device) === undefined ? '"device" takes "//server/share"' : undefined),
  async mount({ options: { device, o, ...account }, target }, { signal }) {
    const { address } = await lookup(valueIn(o, "addr") ?? valueIn(o, "ip") ?? serverOf(device) ?? "");
    const given = Object.entries(account).flatMap(([name, text]) => (text === undefined ? [] : [`${name}=${text}`]));
    await mountFileSystem({
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
