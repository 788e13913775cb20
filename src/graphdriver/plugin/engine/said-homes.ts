import type { Connection } from "../../../protocol/index.ts";
import type { Callers } from "./callers.ts";
import { isSameProcess, type ProcessIdentity } from "../../../syscall/index.ts";

/** Who said a home, as far as it is known. */
interface Sayer {
  readonly connection?: Connection | undefined;
  readonly process?: ProcessIdentity | undefined;
}

/** The home that each caller's last `Init` was for, whether it was taken or not. */
export interface SaidHomes {
  /** By its connection, or else by its process. */
  of(caller: Sayer): string | undefined;
  note(caller: Sayer, home: string): void;
  /** A refused `Init` takes nothing from a connection by which another one was said. */
  noteRefused(caller: Sayer, home: string): void;
}

/** Processes that have ended are forgotten. */
export function createSaidHomes(callers: Pick<Callers, "isRunning">): SaidHomes {
  const ofProcesses = new Map<ProcessIdentity, string>();
  const ofConnections = new WeakMap<Connection, string>();

  const noteProcess = (from: ProcessIdentity | undefined, home: string) => {
    if (from === undefined) return;
    for (const other of ofProcesses.keys()) {
      if (isSameProcess(other, from) || !callers.isRunning(other)) ofProcesses.delete(other);
    }
    ofProcesses.set(from, home);
  };

  return {
    of({ connection, process: from }) {
      const said = connection === undefined ? undefined : ofConnections.get(connection);
      if (said !== undefined || from === undefined) return said;
      return [...ofProcesses].find(([other]) => isSameProcess(other, from))?.[1];
    },
    note({ connection, process: from }, home) {
      if (connection !== undefined) ofConnections.set(connection, home);
      noteProcess(from, home);
    },
    noteRefused({ connection, process: from }, home) {
      if (connection !== undefined && !ofConnections.has(connection)) ofConnections.set(connection, home);
      noteProcess(from, home);
    },
  };
}
