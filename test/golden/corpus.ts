/** The recordings beside this file: what real engines and Cleat's plugins told each other. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Fixture, readFixtureFile } from "../../src/host/index.ts";
import { type Method, type Protocol, protocols } from "../../src/protocol/index.ts";

export interface Recording extends Fixture {
  /** "docker-20.10.24-volumes" */
  readonly name: string;
}

const suffix = ".jsonl";

export async function readCorpus(folder: string): Promise<readonly Recording[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(suffix)).toSorted();
  return Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -suffix.length),
      ...(await readFixtureFile(join(folder, file))),
    })),
  );
}

export interface TableRow {
  readonly protocol: Protocol;
  /** The method's name in its protocol's table. */
  readonly name: string;
  readonly method: Method;
}

/** The row of the protocol tables that a recorded URL is about. */
export function methodOf(url: string): TableRow | undefined {
  const [path] = url.split("?");
  return tableRows.find(({ method }) => method.path === path);
}

export const tableRows: readonly TableRow[] = protocols.flatMap((protocol) =>
  Object.entries(protocol.methods).map(([name, method]) => ({ protocol, name, method })),
);
