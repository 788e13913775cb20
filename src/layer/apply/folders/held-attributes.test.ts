import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { expect, it } from "vitest";

import { SystemError } from "../../../errors/index.ts";
import { cannotBeHeld } from "./held-attributes.ts";

const [ENOENT, EIO, EACCES, EINVAL, ENOSPC, ERANGE, EOPNOTSUPP, EPERM, E2BIG, EDQUOT] = [
  2, 5, 13, 22, 28, 34, 95, 1, 7, 122,
] as const;

it.each([
  ["com.apple.quarantine", EOPNOTSUPP, true],
  ["system.nfs4_acl", EOPNOTSUPP, true],
  ["user.note", EPERM, true],
  ["system.posix_acl_default", EACCES, true],
  ["user.large", E2BIG, true],
  [`user.${"long".repeat(100)}`, ERANGE, true],
  ["com.apple.quarantine", EINVAL, true],
  ["user.", EINVAL, false],
  ["system.posix_acl_access", EINVAL, false],
  ["user.note", EIO, false],
  ["user.note", EDQUOT, false],
  ["user.note", ENOENT, false],
  ["security.capability", EOPNOTSUPP, false],
  ["security.capability", EPERM, false],
  ["security.capability", ENOSPC, false],
])("%s, errno %d: left out is %s", (name, errno, expected) => {
  expect(cannotBeHeld(new SystemError(errno, "fsetxattr"), name, -1)).toBe(expected);
});

it.each([
  ["too large where the disk has some", tmpdir(), true],
  ["just that where it has none", "/proc", false],
])("no space means that it is %s", (_, path, expected) => {
  const folder = fs.openSync(path, "r");
  try {
    expect(cannotBeHeld(new SystemError(ENOSPC, "fsetxattr"), "user.large", folder)).toBe(expected);
  } finally {
    fs.closeSync(folder);
  }
});
