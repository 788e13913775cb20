/**
 * The examples of plugins under the kits of their protocols, killed between calls; networks are
 * checked in `test/kernel`.
 */
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  authzChecks,
  type CheckResult,
  ipamDriverChecks,
  logDriverChecks,
  metricsCollectorChecks,
  runAuthzKit,
  runIpamDriverKit,
  runLogDriverKit,
  runMetricsCollectorKit,
  runSecretProviderKit,
  secretProviderChecks,
} from "../../src/testing/index.ts";
import type { LogDriver, LoggedContainer } from "../../src/logdriver/index.ts";
import { buildExample } from "../harness/plugins/example.ts";
import { startProgram } from "./start-program.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp("/var/tmp/cleat-examples-");
  await mkdir(join(folder, "secrets"));
  await writeFile(join(folder, "secrets/password"), "correct horse");
});
afterAll(() => rm(folder, { recursive: true }));

interface Given {
  readonly address: { readonly unix: string };
  readonly killAndRestart: () => Promise<void>;
}

interface Row {
  readonly example: string;
  readonly program: string;
  readonly checks: readonly { readonly id: string }[];
  /** After the socket; paths are below the test's folder. */
  arguments(): readonly string[];
  run(given: Given): Promise<readonly CheckResult[]>;
}

const rows: readonly Row[] = [
  {
    example: "ipam-driver",
    program: "ipam.js",
    checks: ipamDriverChecks,
    arguments: () => [join(folder, "ledger")],
    run: runIpamDriverKit,
  },
  { example: "authz-policy", program: "serve.js", checks: authzChecks, arguments: () => ["/srv"], run: runAuthzKit },
  {
    example: "file-logs",
    program: "serve.js",
    checks: logDriverChecks,
    arguments: () => [join(folder, "logs")],
    run: runLogDriverKit,
  },
  {
    example: "secret-provider",
    program: "secrets.js",
    checks: secretProviderChecks,
    arguments: () => [join(folder, "secrets")],
    run: (given) =>
      runSecretProviderKit({ ...given, known: { name: "password", serviceLabels: { secrets: "password" } } }),
  },
  {
    example: "metrics-collector",
    program: "metrics.js",
    checks: metricsCollectorChecks,
    arguments: () => [join(folder, "metrics.prom"), join(folder, "metrics.sock")],
    run: (given) => runMetricsCollectorKit({ ...given, socket: join(folder, "metrics.sock") }),
  },
];

test.each(rows)("the example $example passes every check of its kit", async (row) => {
  const programs = await buildExample(row.example, join(folder, row.example));
  const socket = join(folder, `${row.example}.sock`);
  const start = () => startProgram([join(programs, row.program), socket, ...row.arguments()], folder);
  let plugin = await start();
  try {
    const killAndRestart = async () => {
      await plugin.kill();
      await rm(socket, { force: true }); // it is looked for to know when the next one listens
      plugin = await start();
    };
    const results = await row.run({ address: { unix: socket }, killAndRestart });
    expect(results.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
    expect(results.map(({ id }) => id)).toEqual(row.checks.map(({ id }) => id));
  } finally {
    await plugin[Symbol.asyncDispose]();
  }
});

test("the example file-logs ends what follows a log, also when the last write has failed", async () => {
  const programs = await buildExample("file-logs", join(folder, "failing"));
  const { createFileLogs } = (await import(join(programs, "file-logs.js"))) as {
    createFileLogs(root: string): Required<LogDriver>;
  };
  const root = join(folder, "failing-logs");
  const driver = createFileLogs(root);
  const container = { id: "0".repeat(64), options: {} } as unknown as LoggedContainer;
  const log = await driver.openLog(container);
  const following = driver.readLogs(container, { follow: true })[Symbol.asyncIterator]();
  const next = following.next();
  await rm(join(root, container.id), { recursive: true });
  await writeFile(join(root, container.id), "no folder");
  const entry = { source: "stdout", timeNs: 1n, line: Buffer.from("lost") };
  await expect(log.write([entry], { dropped: 0 })).rejects.toThrow(/ENOTDIR/);
  await log.close();
  expect(await next).toEqual({ done: true, value: undefined });
});
