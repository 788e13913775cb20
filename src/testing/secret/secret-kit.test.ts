/** What the kit for secret providers must find: one thing wrong at a time, in a plugin that is right otherwise. */
import { readFileSync } from "node:fs";
import { CleatError } from "../../errors/index.ts";
import { createSecretProviderPlugin, type SecretProvider } from "../../secret/index.ts";
import type { RightPlugin } from "../faulty-plugin.test.support.ts";
import { describeKit } from "../kit-faults.test.support.ts";
import { cut, type Fault, faultsOf, no } from "../planted-fault.test.support.ts";
import { engineDialects } from "../wire/engine-dialects.ts";
import { secretProviderChecks } from "./checks.ts";
import { runSecretProviderKit } from "./kit.ts";

type Store = Map<string, Buffer>;
const right: RightPlugin<SecretProvider, Store> = {
  implements: "secretprovider",
  createStore: () => new Map([["password", Buffer.from("correct horse")]]),
  open: (_, store) => ({
    name: "memory",
    async getSecret(name) {
      const value = store.get(name);
      if (value === undefined) throw new CleatError("NOT_FOUND", `secret "${name}" does not exist`);
      return { value };
    },
    close: async () => {},
  }),
  serve: (provider) => createSecretProviderPlugin({ provider }),
};

const { planted, answered } = faultsOf<SecretProvider>();
const docker = engineDialects.filter(({ id }) => id.startsWith("docker"));
const fileOf = (name: string) => name.replace(/^.*\.\.\/+/, "/").replaceAll("//", "/");
const file = (name: string) => {
  try {
    return { value: readFileSync(fileOf(name)) };
  } catch {
    return undefined;
  }
};

let values = 0;
let asked = 0;
let processes = 0;
const faults: readonly Fault<SecretProvider>[] = [
  planted(
    "what there is not has a value",
    (provider) => ({
      getSecret: (name, request) => provider.getSecret(name, request).catch(() => ({ value: Buffer.from("none") })),
    }),
    ["secret/unknown", ...docker.map(({ id }) => `engine/${id}-service`)],
    cut,
  ),
  planted(
    "a name is a path",
    (provider) => ({
      getSecret: async (name, request) => (name.includes("/") && file(name)) || provider.getSecret(name, request),
    }),
    ["secret/names-that-leave"],
  ),
  planted(
    "each value is new",
    (provider) => ({
      getSecret: async (name, request) => ({
        value: Buffer.concat([(await provider.getSecret(name, request)).value, Buffer.from(String(values++))]),
      }),
    }),
    ["secret/value", "secret/together", "restart/value"],
  ),
  planted(
    "it gives a few a second",
    (provider) => ({
      getSecret: async (name, request) => {
        if (++asked > 8) throw new CleatError("RESOURCE_EXHAUSTED", "too many ask");
        const secret = await provider.getSecret(name, request);
        await new Promise((resolve) => setTimeout(resolve, 20));
        asked--;
        return secret;
      },
    }),
    ["secret/together"],
    cut,
  ),
  answered(
    "no name is one",
    ({ path, body }) =>
      path.endsWith("GetSecret") && ["", "{}"].includes(body) ? [200, '{"Value":"YQ=="}'] : undefined,
    ["wire/empty-secret-request"],
    cut,
  ),
  ...docker.map(({ id, headers }) =>
    answered(
      `it fails ${id}`,
      ({ path, headers: sent }) =>
        path.endsWith("GetSecret") && sent.host === headers["Host"] && sent["user-agent"] !== undefined
          ? no(500)
          : undefined,
      [`engine/${id}-service`],
      cut,
    ),
  ),
  planted(
    "another process has other values",
    (provider) => {
      const process = String(processes++);
      return {
        getSecret: async (name, request) => (await provider.getSecret(name, request), { value: Buffer.from(process) }),
      };
    },
    ["restart/value"],
  ),
];

describeKit({
  right,
  checks: secretProviderChecks,
  faults,
  run: (options) => runSecretProviderKit({ ...options, known: { name: "password" } }),
});
