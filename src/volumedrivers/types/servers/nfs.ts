import type { VolumeBackend } from "../../managed/volume-backend.ts";
import { hostAddress } from "./host-address.ts";
import { mountShare } from "./mount-share.ts";
import { mountListOption, valueIn, withoutOptions } from "../../options/mount-list.ts";
import { textOption } from "../../options/option-types.ts";
import { usageWhileMounted } from "../kernel/usage-while-mounted.ts";

const options = { device: textOption(), o: mountListOption().default([]) };

/**
 * A share of an NFS server: `device` is "server:/path", or ":/path" with `addr=server` in `o`, as Docker's own driver
 * has it. By the kernel alone, without mount.nfs. Source: nfs(5); moby v26.1.0 `volume/local/local_unix.go` `mount`.
 */
function nfsOf(type: "nfs" | "nfs4"): VolumeBackend<typeof options> {
  return {
    options,
    check({ device, o }) {
      const { server, path } = splitShare(device);
      if (path === undefined) return '"device" takes "server:/path", or ":/path" with addr=server in "o"';
      if (server === "" && valueIn(o, "addr") === undefined)
        return '"o" is to hold addr=server, as "device" names none';
      return undefined;
    },
    async mount({ options: { device, o }, target }, { signal }) {
      const { server, path = "/" } = splitShare(device);
      const address = await hostAddress(valueIn(o, "addr") ?? server, { signal });
      await mountShare({
        type,
        source: `${server === "" ? address : server}:${path}`,
        target,
        options: [...withoutOptions(o, "addr"), `addr=${address}`],
        signal,
      });
    },
    usage: usageWhileMounted,
  };
}

export const nfs = nfsOf("nfs");
export const nfs4 = nfsOf("nfs4");

/** An IPv6 address stands in brackets. */
function splitShare(device: string): { server: string; path: string | undefined } {
  const [, bracketed, server, path] = /^(?:\[([^\]]+)\]|([^:/[\]]*)):(\/.*)$/.exec(device) ?? [];
  return { server: bracketed ?? server ?? "", path };
}
