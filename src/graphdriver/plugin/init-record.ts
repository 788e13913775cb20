import { z } from "zod";
import { isProcessIdentity, type ProcessIdentity } from "../../syscall/index.ts";
import { parseRecord, readJsonRecord } from "../home/records/json-record.ts";

/**
 * The last `Init` as it is kept for the time after a crash. A running engine does not send `Init` again to a plugin
 * that was killed and started anew, so without this its calls would fail until the engine is restarted.
 *
 * Layout, version 1:
 * `{"version": 1, "init": {"Home", "Opts", "UIDMaps", "GIDMaps"}, "host", "home", "released", "engine"}`. `init` is the
 * request as it came, `host` its `Host` header; `home` where the layers are, if the driver keeps them in a folder,
 * since the operator may have said so instead. `released` is true once the engine has sent `Cleanup`: nothing is opened
 * then, and the record tells only whoever looks for stores. `engine` is the process that sent `init`, where that is
 * known: `{"pid", "started", "boot"}`.
 */
export interface InitStore {
  /** `undefined` when nothing is kept. */
  load(): Promise<unknown>;
  /** Durable when it resolves. */
  save(record: InitRecord): Promise<void>;
  clear(): Promise<void>;
}

const idMaps = z.array(z.object({ container_id: z.int(), host_id: z.int(), size: z.int() }));

const initRecord = z.object({
  version: z.literal(1),
  init: z.object({ Home: z.string(), Opts: z.array(z.string()), UIDMaps: idMaps, GIDMaps: idMaps }),
  host: z.string().optional(),
  home: z.string().optional(),
  released: z.boolean().optional(),
  engine: z.custom<ProcessIdentity>(isProcessIdentity).optional(),
});

export type InitRecord = z.output<typeof initRecord>;
export type InitRequest = InitRecord["init"];

const subject = "saved Init";

/** @throws SchemaError (DATA_LOSS) when the value is not a record of a known version. */
export function parseInitRecord(value: unknown): InitRecord {
  return parseRecord(value, initRecord, subject);
}

/**
 * The record in a plugin's state file; `undefined` where there is none.
 * @throws SchemaError (DATA_LOSS) when it is not one of a known version.
 */
export function readInitRecord(path: string): InitRecord | undefined {
  return readJsonRecord(path, initRecord, subject);
}
