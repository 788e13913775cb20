/** Ways to open a driver, each a factory's `open`: in this process, over a unix socket, and somebody else's. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";

import { btrfs, fuseOverlayfs, overlay2, vfs } from "cleat/drivers";
import { createGraphDriverFromPlugin, createGraphDriverPlugin } from "cleat/graphdriver";
import { serve } from "cleat/plugin";
import { createHttpTransport } from "cleat/transport";

const factories = { overlay2, "fuse-overlayfs": fuseOverlayfs, btrfs, vfs };

export const openers = {
  inProcess: ({ driver }) => factories[driver].open,

  overSocket:
    ({ driver }) =>
    async (options) => {
      const unix = socketBeside(options.home);
      const plugin = await createGraphDriverPlugin({ open: factories[driver].open });
      const running = await serve({ drivers: [plugin], listen: { unix } });
      return openRemote(unix, driver, options, () => running.close());
    },

  /** `program` is the plugin of moby's own drivers. */
  somebodyElses:
    ({ driver, program }) =>
    async (options) => {
      const unix = socketBeside(options.home);
      const plugin = spawn(program, [driver, unix], { stdio: ["ignore", "pipe", "ignore"] });
      await once(plugin.stdout, "data");
      return openRemote(unix, driver, options, async () => {
        const ended = once(plugin, "exit");
        plugin.kill();
        await ended;
        await rm(unix);
      });
    },
};

function socketBeside(home) {
  return `${home}.sock`;
}

async function openRemote(unix, name, options, stop) {
  const transport = createHttpTransport({ unix });
  const close = async () => {
    await transport.close();
    await stop();
  };
  try {
    const driver = await createGraphDriverFromPlugin(transport, { ...options, name });
    let closing;
    return { ...driver, close: () => (closing ??= close()) };
  } catch (error) {
    await close();
    throw error;
  }
}
