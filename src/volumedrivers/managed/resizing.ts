import { toCleatError } from "../../errors/index.ts";
import type { Table } from "../../state/index.ts";
import type { Logger } from "../../transport/index.ts";
import type { Turns } from "../holders/turns.ts";
import type { SayStep } from "../steps.ts";
import type { VolumeRecord } from "./volume-record.ts";
import type { VolumeTable } from "./volume-table.ts";

/** Gives volumes other sizes: what is to be given is recorded first. */
export interface Resizing {
  /** For whoever has the volume's turn. */
  resize(name: string, sizeBytes: number): Promise<void>;
  /** Gives behind what a process that was killed had half given. */
  finishBehind(name: string): void;
}

export interface ResizingParts {
  readonly volumes: Table<VolumeRecord>;
  readonly turns: Turns;
  readonly table: VolumeTable;
  readonly sayStep: SayStep;
  readonly logger: Logger;
}

export function createResizing({ volumes, turns, table, sayStep, logger }: ResizingParts): Resizing {
  /** What is refused was not begun; what else fails may be half done. */
  const finishResize = async (name: string, sizeBytes: number) => {
    const put = async (changes: Partial<VolumeRecord>) => {
      const { resizingTo: _, ...record } = table.recordOf(name) ?? {};
      await volumes.put(name, { ...(record as VolumeRecord), ...changes });
    };
    let options: VolumeRecord["options"];
    try {
      options = await table.resize(name, sizeBytes);
    } catch (error) {
      const { code } = toCleatError(error);
      if (["INVALID_ARGUMENT", "FAILED_PRECONDITION", "UNIMPLEMENTED", "NOT_FOUND", "OUT_OF_RANGE"].includes(code))
        await put({});
      throw error;
    }
    sayStep("resize: resized", name);
    await put({ options });
    sayStep("resize: acknowledged", name);
  };
  const finishBehind = (name: string) => {
    const resize = async () => {
      const { state, resizingTo } = table.recordOf(name) ?? {};
      if (state === "ready" && resizingTo !== undefined) await finishResize(name, resizingTo);
    };
    turns.take(name, undefined, resize).catch((error: unknown) => {
      logger.warn({ err: error, volume: name }, "a size that is half given cannot be given yet");
    });
  };

  return {
    async resize(name, sizeBytes) {
      table.assertResizable(name);
      table.assertReady(name);
      const record = table.recordOf(name);
      if (record !== undefined) await volumes.put(name, { ...record, resizingTo: sizeBytes });
      sayStep("resize: recorded", name);
      await finishResize(name, sizeBytes);
    },
    finishBehind,
  };
}
