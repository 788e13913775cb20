import { kitOf, mainOf, type ProjectTemplate } from "../project-template.ts";

export const secretTemplate: ProjectTemplate = {
  kind: "secret",
  implements: "secretprovider",
  summary: "A secret provider for Docker's swarms. It begins with a folder in which each secret is a file.",
  page: "docs/protocols/secretprovider.md",
  files: (name) => ({
    "src/driver.ts": driver(name),
    "src/main.ts": mainOf(name, {
      serve: ["createSecretProviderPlugin", "cleat/secret"],
      open: "openProvider",
      given: "{ provider: driver }",
    }),
    "src/driver.test.ts": kitOf({
      checks: "secretProviderChecks",
      run: "runSecretProviderKit",
      open: "openProvider",
      given: 'open: () => openProvider(folder), known: { name: "password" }',
      before: 'await writeFile(join(folder, "password"), "correct horse");\n',
      files: ", writeFile",
    }),
  }),
};

const driver = (name: string) => `import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { CleatError } from "cleat/errors";
import type { SecretProvider } from "cleat/secret";

/** The manual is at \`SecretProvider\`. Messages of errors name the secret, and never its value. */
export async function openProvider(folder: string): Promise<SecretProvider> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return {
    name: "${name}",
    // Who asks is in \`request\`: a provider for several teams looks at request.service.labels.
    async getSecret(name, _request) {
      if (!/^[A-Za-z0-9][\\w.-]{0,63}$/.test(name))
        throw new CleatError("NOT_FOUND", \`"\${name}" is no name of a secret\`);
      const value = await readFile(join(folder, name)).catch((cause: unknown) => {
        throw new CleatError("NOT_FOUND", \`secret "\${name}" cannot be read\`, { cause });
      });
      return { value, doNotReuse: true }; // what another service gets may differ
    },
    close: async () => {},
  };
}
`;
