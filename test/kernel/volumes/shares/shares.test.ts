/**
 * Shares of real servers (nfs-ganesha, Samba), which are killed and come back: on Debian's kernel in a virtual machine,
 * for other machines' may have no clients for them. To boot it takes longer than most checks, so all run in one.
 */
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { shareServersFolder } from "#scripts/unpacked/share-servers.mjs";
import { describeWith, needs } from "../../../needs.ts";
import { runInMachine } from "../../virtual-machine/run-in-machine.ts";

const timeoutMs = 1_200_000;
/** Of a call, in the machine. */
const deadlineMs = 30_000;

/** What a call in the machine came to. */
interface Outcome {
  readonly value?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly ms: number;
}

type Seen = Readonly<Record<string, unknown>>;

const modules = ["nfs", "nfs_common", "lockd", "fscache", "netfs", "smb", "nls"].map((name) => `fs/${name}`);

describeWith([needs.virtualMachine, needs.busybox, needs.ext4, needs.shareServers], "shares", () => {
  const all = new Map<string, Seen>();
  const lines: string[] = [];
  let failure: unknown;

  beforeAll(async () => {
    await runInMachine({
      program: join(import.meta.dirname, "guest.mjs"),
      commands: ["umount", "stat", "rm"],
      modules: [...modules, "net/sunrpc", "net/dns_resolver"],
      trees: { servers: shareServersFolder },
      disks: [{ size: "64M", mkfs: "mkfs.ext4 -q" }],
      timeoutMs,
      onLine(line) {
        const seen = JSON.parse(line) as Seen;
        lines.push(line);
        if (typeof seen["type"] === "string") all.set(seen["type"], seen);
      },
    }).catch((error: unknown) => (failure = error));
  }, 2 * timeoutMs);

  describe.each(["nfs", "cifs"])("by %s", (type) => {
    const seen = (): Seen => {
      const found = all.get(type);
      if (found === undefined) throw failure ?? new Error(`the machine ended without a result: ${lines.join("; ")}`);
      if (found["error"] !== undefined) throw new Error(`${String(found["error"])}: ${JSON.stringify(found)}`);
      return found;
    };
    const outcome = (name: string) => seen()[name] as Outcome;

    test("hold the server's files, and leave them there when the volume is removed", () => {
      expect(seen()).toMatchObject({ onServer: "content", read: "from the server", left: ["file", "other"] });
    });
    test("are mounted with their options, and no password is shown", () => {
      const { mountinfo, status, sawMounting, passwordInArguments } = seen();
      expect(mountinfo).toMatch(/ rw,noatime /);
      expect(mountinfo).toContain("addr=127.0.0.1");
      expect(`${JSON.stringify(status)}${String(mountinfo)}`).not.toMatch(/p4ss/);
      expect({ sawMounting, passwordInArguments }).toEqual({ sawMounting: true, passwordInArguments: false });
    });
    test("that are not there are refused in words", () => {
      expect(outcome("missing").code).toBe("NOT_FOUND");
      expect(outcome("missing").message).toContain(
        'volume "missing" cannot be mounted: the server shares no such folder',
      );
    });
    const wrongAccounts = type === "cifs" ? ["refused", "nobody"] : [];
    for (const name of wrongAccounts) {
      test(`are not mounted with a wrong account: ${name}`, () => {
        expect(outcome(name).code).toBe("PERMISSION_DENIED");
        expect(outcome(name).message).toContain("the server refuses this machine, or the user name and password");
        expect(outcome(name).message).not.toContain("wr0ng");
      });
    }
    test("cost calls about them their deadline while the server is dead, and other volumes nothing", () => {
      const without = ["mountOfSecond", "mountWithoutServer"].map(outcome);
      for (const { code, ms } of without) {
        expect(["UNAVAILABLE", "DEADLINE_EXCEEDED"]).toContain(code);
        expect(ms).toBeLessThan(2 * deadlineMs + 5_000);
      }
      expect(outcome("ofShare").ms).toBeLessThan(deadlineMs);
      expect(outcome("ofOther")).not.toHaveProperty("code");
      expect(outcome("ofOther").ms).toBeLessThan(deadlineMs / 2);
      expect(outcome("listed")).toMatchObject({ value: 3 });
      expect(outcome("listed").ms).toBeLessThan(1_000);
    });
    test("are mounted again when the server is back", () => {
      expect(outcome("mountWithServer")).not.toHaveProperty("code");
      expect(outcome("secondWithServer")).not.toHaveProperty("code");
      expect(seen()["readAgain"]).toBe("content");
    });
    test("pass the kit of checks, also beside one whose server was killed", () => {
      for (const name of ["kit", "kitBeside"]) {
        const { passed, failed } = seen()[name] as { passed: number; failed: string[] };
        expect(failed, name).toEqual([]);
        expect(passed, name).toBeGreaterThan(15);
      }
    });
    test("are read on when the server was killed and is back while they are mounted", () => {
      expect(outcome("readAfterRestart")).toMatchObject({ value: "content" });
    });
    test("cost calls about them their deadline while the server is frozen, and are there when it is not", () => {
      expect(outcome("frozenShare").value).toContain("cannot be measured: that was not done within 2000 ms");
      expect(outcome("frozenShare").ms).toBeLessThan(deadlineMs);
      expect(outcome("frozenList")).toMatchObject({ value: 3 });
      expect(outcome("frozenUnmount").ms).toBeLessThan(deadlineMs + 5_000);
      expect(outcome("readAfterFrost")).toMatchObject({ value: "content" });
      expect(seen()).toMatchObject({ volumesLeft: 0, mountsLeft: [] });
    });
  });
});
