/** What the kit for authorization must find: one thing wrong at a time, in a plugin that is right otherwise. */
import { expect, test } from "vitest";
import { allow, type Authorizer, createAuthorizer, deny } from "../../authz/index.ts";
import { describeKit } from "../kit-faults.test.support.ts";
import { authzFaults } from "./authz-faults.test.support.ts";
import { authzChecks } from "./checks/index.ts";
import { requestFacts } from "./context.ts";
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

test("a request that is denied is asked for in versions of the API also where it is named without one", async () => {
  const uris: string[] = [];
  const authorizer: Authorizer = {
    ...createRightAuthorizer(),
    authorizeRequest: async ({ uri }) => (uris.push(uri), deny("no")),
  };
  const denied = requestFacts("POST", "/containers/create?name=a", "{}");
  await runAuthzKit({ open: async () => authorizer, denied, only: ["closed/other-version"] });
  expect(uris).toEqual(["/v1.24", "/v1.30", "/v1.99"].map((version) => `${version}/containers/create?name=a`));
});

test.each(["[]", "[ ]", "{}", "null", "not JSON"])("what says nothing of fields is skipped: %s", async (body) => {
  const authorizer = createAuthorizer({ policy: () => deny("no") });
  const denied = requestFacts("POST", "/v1.41/plugins/pull", body);
  const only = ["closed/field-case", "closed/field-twice"];
  const results = await runAuthzKit({ open: async () => authorizer, denied, only });
  const skipped = {
    outcome: "skipped",
    reason: "the request that is denied cannot be put in other words of this kind",
  };
  expect(results).toMatchObject([skipped, skipped]);
});
