/** Certificates that `test/fixtures/tls/make.sh` has made. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The absolute path of "server.pem", "client-key.pem" … */
export const pemPath = (file: string) => join(import.meta.dirname, "../../../test/fixtures/tls", file);

export const pem = (file: string) => readFileSync(pemPath(file), "utf8");

/** A certificate with its key: "server", "expired", "client" … */
export const identity = (name: string) => ({ cert: pem(`${name}.pem`), key: pem(`${name}-key.pem`) });
