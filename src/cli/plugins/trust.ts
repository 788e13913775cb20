import { X509Certificate } from "node:crypto";
import type { NamedPlugin } from "./find-plugin.ts";

/** Whom a client of an `https` address trusts. Holds nothing of a key. */
export interface Trust {
  readonly verified: boolean;
  /** The name that the certificate must have. */
  readonly serverName: string;
  /** The authorities of the spec's CAFile; `null` where those that Node comes with are trusted. */
  readonly authorities: readonly Authority[] | null;
  readonly showsClientCertificate: boolean;
}

export interface Authority {
  readonly subject: string;
  /** As the certificate has it: "Nov 21 12:00:00 2126 GMT". */
  readonly validTo: string;
}

/** `undefined` for an address that is called in plaintext. */
export function describeTrust({ address, tls = {} }: NamedPlugin): Trust | undefined {
  if (!("https" in address)) return undefined;
  return {
    verified: tls.insecureSkipVerify !== true,
    serverName: tls.serverName ?? address.https.host,
    authorities: tls.ca === undefined ? null : authoritiesIn(tls.ca),
    showsClientCertificate: tls.cert !== undefined,
  };
}

/** The transport has refused a `pem` that holds none. */
function authoritiesIn(pem: string): Authority[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => {
    const { subject, validTo } = new X509Certificate(block);
    return { subject: subject.replaceAll("\n", ", "), validTo };
  });
}
