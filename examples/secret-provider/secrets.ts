/**
 * A secret provider: each secret is a file of a folder. `node secrets.js [NAME|SOCKET] [FOLDER]`.
 *
 *     docker secret create --driver folder db-password
 *     docker service create --secret db-password --label secrets=db-password …
 *
 * A service gets what its label `secrets` names, and nothing else.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CleatError } from "cleat/errors";
import { serve } from "cleat/plugin";
import { createSecretProviderPlugin, type SecretProvider } from "cleat/secret";

export function openFolder(folder: string): SecretProvider {
  return {
    name: "folder",
    async getSecret(name, { service }) {
      const allowed = (service.labels?.["secrets"] ?? "").split(",");
      if (!allowed.includes(name))
        throw new CleatError("PERMISSION_DENIED", `secret "${name}" is not for service "${service.name}"`);
      if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name))
        throw new CleatError("INVALID_ARGUMENT", `"${name}" is no name of a secret`);
      const value = await readFile(join(folder, name)).catch((cause: unknown) => {
        throw new CleatError("NOT_FOUND", `secret "${name}" cannot be read`, { cause });
      });
      return { value, doNotReuse: true }; // the next service may not have the label
    },
    close: async () => {},
  };
}

const [place = "folder", folder = "/etc/cleat-secrets"] = process.argv.slice(2);
await serve({
  drivers: [createSecretProviderPlugin({ provider: openFolder(folder) })],
  listen: place.includes("/") ? { unix: place } : place,
});
