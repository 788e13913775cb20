/** A client written in Go, with the connection pool that engines have, calling a plugin that Cleat serves. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type RunningPlugin, serve } from "../../../src/plugin/index.ts";
import { volumeDriverProtocol } from "../../../src/protocol/index.ts";
import { implement } from "../../../src/transport/index.ts";
import { describeWith, needs } from "../../needs.ts";
import { buildGoProgram } from "../go-program.ts";
import { runGoClient } from "./go-client.ts";

const callers = 8;

describeWith([needs.go], "a client in Go", () => {
  let folder: string;
  let program: string;
  let socket: string;
  let ran: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cleat-go-"));
    program = await buildGoProgram(join(import.meta.dirname, "client"), folder);
  });
  afterAll(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    socket = join(await mkdtemp(join(folder, "plugins-")), "cleat.sock");
    ran = [];
  });

  /** A plugin whose volumes have a path each; `onCall` is told how many have asked. */
  const servePaths = (onCall: (count: number) => void = () => {}): Promise<RunningPlugin> => {
    const never = async (): Promise<never> => {
      throw new Error("not part of this test");
    };
    const service = implement(volumeDriverProtocol, {
      create: never,
      list: never,
      get: never,
      remove: never,
      mount: never,
      unmount: never,
      async path({ Name }) {
        onCall(ran.push(Name));
        await nextTurn(); // so that calls overlap
        return { Mountpoint: `/mnt/${Name}` };
      },
    });
    return serve({ drivers: [{ service }], listen: { unix: socket } });
  };

  test("keeps its connections over 2,000 calls of eight callers, and loses none", async () => {
    await using plugin = await servePaths();
    expect(plugin.address).toBe(`unix://${socket}`);
    const outcome = await runGoClient(program, socket, { calls: 2_000, callers });
    expect(outcome).toMatchObject({ Refused: 0, Broken: [] });
    expect(new Set(outcome.Answered).size).toBe(2_000);
    expect(ran.toSorted()).toEqual(outcome.Answered.toSorted());
    // Two callers that ask at once while no connection is idle have Go open a spare one.
    expect(outcome.Connections).toBeLessThanOrEqual(2 * callers);
  });

  test("has an answer to each call that a closing plugin began, and finds nobody for the rest", async () => {
    let closed: Promise<void> | undefined;
    await using plugin = await servePaths((count) => {
      if (count === 500) closed = plugin.close();
    });
    const { Answered, Refused } = await runGoClient(program, socket, { calls: 1_000_000, callers });
    await closed;
    expect(Answered.length).toBeGreaterThanOrEqual(500);
    // HTTP/1.1 has no way to tell a client in time that its idle connection closes: such a call is broken off, but
    // never ran.
    expect(Answered.toSorted()).toEqual(ran.toSorted());
    expect(Refused).toBe(callers);
  });
});
