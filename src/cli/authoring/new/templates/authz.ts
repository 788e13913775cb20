import { kitOf, mainOf, type ProjectTemplate } from "../project-template.ts";

export const authzTemplate: ProjectTemplate = {
  kind: "authz",
  implements: "authz",
  summary: "An authorization plugin for Docker. It begins with a policy that denies privileged containers.",
  page: "docs/authorization-plugins.md",
  files: (name) => ({
    "src/driver.ts": driver,
    "src/main.ts": mainOf(name, {
      serve: ["createAuthzPlugin", "cleat/authz"],
      open: "openAuthorizer",
      given: "{ authorizer: driver }",
    }),
    "src/driver.test.ts": kitOf({
      checks: "authzChecks",
      run: "runAuthzKit",
      open: "openAuthorizer",
      given: "open: openAuthorizer",
    }),
  }),
};

const driver = `import { allow, type Authorizer, createAuthorizer, deny, type Policy } from "cleat/authz";
import { goStruct } from "cleat/protocol";
import { z } from "zod";

/** What the policy reads of a request; Docker's decoder takes the names whatever their letters, and so does this. */
const createBody = goStruct({ HostConfig: goStruct({ Privileged: z.boolean().default(false) }).optional() });

/**
 * The manual is at \`Authorizer\`. Whatever goes wrong denies: an exception, a body that cannot be read, the deadline.
 */
export const policy: Policy = (request) => {
  if (!request.is("POST", "/containers/create")) return allow;
  const { HostConfig } = request.json(createBody);
  return HostConfig?.Privileged === true ? deny("privileged containers are not allowed") : allow;
};

/** A policy that is read from files reads them here: this is called once, with the folder of \`main.ts\`. */
export async function openAuthorizer(_folder?: string): Promise<Authorizer> {
  return createAuthorizer({ policy });
}
`;
