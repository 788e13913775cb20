import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { containerd17Folder } from "#scripts/unpacked/containerd-sources.mjs";
import { goIn } from "#scripts/unpacked/go-sources.mjs";
import { rootFolder } from "#scripts/unpacked/engine-roots.mjs";
import type { Namespace } from "../../harness/namespaces/namespace.ts";
import { needs, type Need } from "../../needs.ts";
import { debianGo } from "../go-program.ts";
import { containerdSource } from "../containerd/source.ts";

/** A containerd whose suite is compiled from Debian's sources of it. */
export interface SuiteSource {
  readonly title: string;
  readonly needs: readonly Need[];
  /** The build tag of the file that imports it. */
  readonly tag: "containerd1" | "containerd2";
  readonly go: { readonly program: string; readonly env: NodeJS.ProcessEnv };
}

const goOfTesting = goIn(rootFolder("forky"));

export const containerd1: SuiteSource = {
  title: "containerd 1.6",
  needs: [needs.go, containerdSource],
  tag: "containerd1",
  go: { program: "go", env: { GO111MODULE: "off", GOFLAGS: "", GOPATH: debianGo, CGO_ENABLED: "0" } },
};

/** Its sources are compiled by a later Go. */
export const containerd17: SuiteSource = {
  title: "containerd 1.7 of Debian 13",
  needs: [needs.forky, needs.containerd17],
  tag: "containerd1",
  go: {
    ...goOfTesting,
    env: { ...goOfTesting.env, GOPATH: join(containerd17Folder, "usr/share/gocode") },
  },
};

export const containerd2: SuiteSource = {
  title: "containerd 2 of Debian testing",
  needs: [needs.forky],
  tag: "containerd2",
  go: goOfTesting,
};

/** Compiles the suite to the file `program`. Takes ten seconds, or forty, while Go's cache is empty; then one. */
export async function buildSuite({ tag, go }: SuiteSource, program: string): Promise<void> {
  await mkdir(dirname(program), { recursive: true });
  await promisify(execFile)(go.program, ["test", "-c", "-tags", tag, "-o", program, "."], {
    cwd: join(import.meta.dirname, "go"),
    env: { ...process.env, ...go.env },
  });
}

export interface SuiteOptions {
  readonly program: string;
  /** By this name the suite knows what a file system cannot do. */
  readonly name: string;
  /** What starts a server, with `{root}` and `{socket}` in it; undefined for containerd's own overlay. */
  readonly server: readonly string[] | undefined;
  /** Where the suite makes its folders. */
  readonly folder: string;
}

/** A test of the suite by its name, and all that it said. */
export type SuiteOutcomes = ReadonlyMap<string, { readonly state: string; readonly said: string }>;

/** Runs all tests of the suite, a few at a time. */
export async function runSuite({ run }: Namespace, options: SuiteOptions): Promise<SuiteOutcomes> {
  const { program, name, server, folder } = options;
  const served = server === undefined ? [] : [`-server=${JSON.stringify(server)}`];
  const words = [program, "-test.v", "-test.root", "-test.parallel=4", `-name=${name}`, ...served];
  // It ends with code 1 when a test fails, which is told of by name.
  return readOutcomes(await run(["sh", "-c", 'TMPDIR=$0 "$@" 2>&1 || true', folder, ...words]));
}

/** Lines belong to the test that Go named last; Go says how each ended. */
function readOutcomes(output: string): SuiteOutcomes {
  const outcomes = new Map<string, { state: string; said: string }>();
  const outcomeOf = (test: string) => {
    if (!outcomes.has(test)) outcomes.set(test, { state: "never ended", said: "" });
    return outcomes.get(test)!;
  };
  let current = outcomeOf("");
  for (const line of output.split("\n")) {
    const [, mark, test] = /^\s*(?:=== (?:RUN|CONT|NAME|PAUSE)|--- (PASS|FAIL|SKIP):)\s+\w+\/?(\S*)/.exec(line) ?? [];
    if (test !== undefined) current = outcomeOf(test);
    if (mark !== undefined) current.state = mark;
    if (test === undefined) current.said += `${line}\n`;
  }
  return outcomes;
}
