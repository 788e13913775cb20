/** An authorization plugin that does everything right: nobody gets a privileged container. */
import { z } from "zod";
import { allow, type Authorizer, createAuthorizer, createAuthzPlugin, deny } from "../../authz/index.ts";
import { goStruct } from "../../protocol/index.ts";
import { silentLogger } from "../../transport/index.ts";
import type { RightPlugin } from "../faulty-plugin.test.support.ts";

const createBody = goStruct({ HostConfig: goStruct({ Privileged: z.boolean().default(false) }).optional() });

export const createRightAuthorizer = (): Authorizer =>
  createAuthorizer({
    logger: silentLogger,
    policy(request) {
      if (!request.is("POST", "/containers/create")) return allow;
      const isPrivileged = request.json(createBody).HostConfig?.Privileged === true;
      return isPrivileged ? deny("privileged containers are not allowed") : allow;
    },
  });

/** Whether there is a policy yet. */
export const rightAuthz: RightPlugin<Authorizer, { hasPolicy: boolean }> = {
  implements: "authz",
  createStore: () => ({ hasPolicy: true }),
  open: () => createRightAuthorizer(),
  serve: (authorizer) => createAuthzPlugin({ authorizer }),
};
