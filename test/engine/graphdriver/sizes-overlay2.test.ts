/**
 * Sizes on overlay2 as Docker enforces them on xfs, Cleat on the same store in between, and Docker with Cleat as its
 * plugin: on a kernel that has project quotas, Debian's in a virtual machine.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";

import { beforeAll, expect, test } from "vitest";

import { runInMachine } from "../../kernel/virtual-machine/run-in-machine.ts";
import { describeWith, needs } from "../../needs.ts";

const timeoutMs = 900_000;
const megabyte = 2 ** 20;

/** As in `harness/engines/dockerd.ts`: the client that belongs to the daemon. */
const client = existsSync("/usr/bin/docker") ? "/usr/bin/docker" : "docker";

interface Seen {
  readonly name: string;
  readonly value: unknown;
}

interface Ended {
  readonly status: number;
  readonly stderr: string;
}

describeWith([needs.virtualMachine, needs.dockerd, needs.busybox, needs.xfs], "Docker's sizes and Cleat's", () => {
  const seen = new Map<string, unknown>();
  let failure: unknown;

  beforeAll(async () => {
    const program = join(import.meta.dirname, "sizes-overlay2/guest.mjs");
    const commands = ["dockerd", client, "containerd", "containerd-shim-runc-v2", "runc"];
    const disks = [{ size: "1G", mkfs: "mkfs.xfs -q -K" }];
    await runInMachine({ program, commands, disks, timeoutMs, onLine: note }).catch(
      (error: unknown) => (failure = error),
    );
  }, 2 * timeoutMs);

  function note(line: string): void {
    const { name, value } = JSON.parse(line) as Seen;
    seen.set(name, value);
  }

  function get(name: string): unknown {
    if (!seen.has(name)) throw failure ?? new Error("the machine ended before that");
    return seen.get(name);
  }

  test("a container of Docker's has what it was given", () => assertFull(get("written by Docker")));

  test("what Docker limited is limited through Cleat", () => assertFull(get("written through Cleat")));

  test("status and metadata are told as Docker tells them", () => {
    expect(get("status of Cleat")).toEqual(get("status of Docker"));
    expect(get("data of Cleat")).toEqual(get("data of Docker"));
  });

  test("Docker goes on with the store, and its containers have a size", () => {
    assertFull(get("written by Docker again"));
  });

  test("a layer of Cleat's keeps its size, and no layer of Docker's gets its project", () => {
    const [ours, theirs] = get("projects") as [Project, Project];
    expect([ours.limitBytes, theirs.limitBytes]).toEqual([32 * megabyte, 64 * megabyte]);
    expect(ours.id).not.toBe(theirs.id);
  });

  test("a container on the plugin has what it was given, and its neighbour too", () => {
    assertFull(get("written on the plugin"));
    assertFull(get("written beside it"));
  });

  test("it has no more after daemon and plugin were started again", () => {
    assertFull(get("written on the plugin again"));
    expect(get("layers left")).toEqual([expect.not.stringContaining("-init")]); // the image's
  });
});

interface Project {
  readonly id: number;
  readonly limitBytes: number;
}

function assertFull(ended: unknown): void {
  const { status, stderr } = ended as Ended;
  expect(stderr).toContain("16+0 records out");
  expect(stderr).toContain("No space left on device");
  expect(status).toBe(1);
}
