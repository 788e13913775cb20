import { expect, it } from "vitest";
import { tellsOfBusy } from "./mount-file-system.ts";

it("takes for busy what is said to be, and not what is called so", () => {
  const target = "/run/resource busy/mounts/busybox";
  expect(tellsOfBusy(`umount: ${target}: target is busy.`, target)).toBe(true);
  expect(tellsOfBusy(`/usr/bin/node: EBUSY: resource busy or locked, umount2 '${target}'`, target)).toBe(true);
  expect(tellsOfBusy(`umount: ${target}: must be superuser to unmount.`, target)).toBe(false);
  expect(tellsOfBusy(`/usr/bin/node: EPERM: operation not permitted, umount2 '${target}'`, target)).toBe(false);
});
