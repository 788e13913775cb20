/** What the kit for authorization must find: one thing wrong at a time, in a plugin that is right otherwise. */
import { expect, test } from "vitest";
import { allow, createAuthorizer } from "../../authz/index.ts";
import { describeKit } from "../kit-faults.test.support.ts";
import { authzFaults } from "./authz-faults.test.support.ts";
import { authzChecks } from "./checks/index.ts";
import { runAuthzKit } from "./kit.ts";
import { createRightAuthorizer, rightAuthz } from "./right-authz.test.support.ts";

describeKit({ right: rightAuthz, checks: authzChecks, faults: authzFaults, run: runAuthzKit });

test("a policy in this process is checked without a wire", async () => {
  const results = await runAuthzKit({ open: async () => createRightAuthorizer() });
  expect(results.filter(({ outcome }) => outcome === "skipped").map(({ id }) => id)).toEqual(
    authzChecks.flatMap(({ id }) => (/^(engine|restart)|no-request|malformed/.test(id) ? [id] : [])),
  );
  expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
});

test("of a policy that denies nothing that is known the kit says so", async () => {
  const authorizer = createAuthorizer({ policy: () => allow });
  const results = await runAuthzKit({ open: async () => authorizer, only: ["closed/field-case"] });
  expect(results).toMatchObject([{ outcome: "skipped", reason: expect.stringMatching(/--denied/) }]);
});
