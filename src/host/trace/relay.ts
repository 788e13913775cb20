import type { Socket } from "node:net";
import type { ConnectionRecorder } from "./connection-recorder.ts";
import type { Dialer } from "./dialer.ts";

export interface Relay {
  /** Closes both connections once no call is under way on them. */
  drain(): void;
  /** Breaks both off. */
  destroy(): void;
}

/**
 * Passes bytes on between an engine's connection and one to the plugin, which is opened at its first byte. Each holds
 * the other back, and what ends or breaks one ends or breaks the other:
 *
 * - a plugin that is not there costs the engine its connection, as if it had called that one itself: it may try again;
 * - a plugin that breaks off leaves a broken answer, because nothing is added to what it sent;
 * - an engine that closes during a call is gone, so the plugin sees its connection close at once.
 */
export function relay(engine: Socket, dialer: Dialer, recorder: ConnectionRecorder): Relay {
  let plugin: Socket | undefined;
  let draining = false;

  function reach(): Socket {
    const { socket, explain } = dialer.dial();
    let reason = "plugin closed its connection";
    socket.on("data", (bytes: Buffer) => {
      recorder.fromPlugin(bytes);
      if (!engine.write(bytes)) socket.pause();
      closeWhenDrained();
    });
    socket.on("drain", () => engine.resume());
    socket.on("error", (error) => (reason = explain(error)));
    socket.once("end", () => {
      recorder.pluginEnded();
      recorder.broke(reason);
      engine.end();
    });
    socket.once("close", () => {
      recorder.broke(reason);
      engine.destroySoon(); // what the plugin said before is still delivered
    });
    return socket;
  }

  function closeWhenDrained(): void {
    if (!draining || recorder.isBusy) return;
    engine.destroySoon();
    plugin?.destroySoon();
  }

  engine.on("data", (bytes: Buffer) => {
    recorder.fromEngine(bytes);
    plugin ??= reach();
    if (!plugin.write(bytes)) engine.pause();
    closeWhenDrained();
  });
  engine.on("drain", () => plugin?.resume());
  engine.on("error", () => {}); // "close" follows
  engine.once("end", () => {
    if (recorder.isBusy) plugin?.destroy();
    else plugin?.end();
    recorder.broke("engine closed its connection");
    engine.end();
  });
  engine.once("close", (failed: boolean) => {
    recorder.broke("engine closed its connection");
    if (failed) plugin?.destroy();
    else plugin?.destroySoon();
  });

  return {
    drain() {
      draining = true;
      closeWhenDrained();
    },
    destroy() {
      recorder.broke("trace ended");
      engine.destroy();
      plugin?.destroy();
    },
  };
}
