/**
 * The two files by which plugins that are not found by their socket tell engines where they are: `NAME.spec` holds an
 * address, `NAME.json` an address and whom to trust there.
 *
 * Source: moby v20.10.24 `pkg/plugins/discovery.go`; `tlsconfig.Options` of docker/go-connections v0.4.0.
 */
import { z } from "zod";
import { CleatError } from "../../errors/index.ts";
import { decodeGoJson, goStruct } from "../../protocol/index.ts";
import { type Address, parseAddress } from "./address.ts";

export interface PluginSpec {
  readonly address: Address;
  /** Only of `https` addresses. */
  readonly tls: TlsFiles | undefined;
}

/** Paths of PEM files, and how far to trust. */
export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Cleat's addition, which Docker skips: the name in the server's certificate where it is not the address's host. */
  readonly serverName?: string | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
}

/**
 * Reads a `.spec` or a `.json` file; `subject` begins the message of an error. Without `CAFile` the authorities that
 * Node comes with are trusted, where Docker then trusts anybody.
 * @throws INVALID_ARGUMENT when it is neither, half written, or asks for TLS at an address that is called in plaintext.
 */
export function parseSpec(format: "spec" | "json", content: Uint8Array, subject: string): PluginSpec {
  if (format === "spec") return { address: addressIn(Buffer.from(content).toString().trim(), subject), tls: undefined };
  const { Addr, TLSConfig } = decodeGoJson(jsonSpec, content, subject, "INVALID_ARGUMENT");
  const address = addressIn(Addr, subject);
  if ("https" in address) return { address, tls: fromWire(TLSConfig ?? {}) };
  if (TLSConfig !== undefined && Object.keys(TLSConfig).length > 0) {
    const message = `${subject} has a TLSConfig, but ${Addr} is called in plaintext; write https://`;
    throw new CleatError("INVALID_ARGUMENT", message);
  }
  return { address, tls: undefined };
}

/** The content of a `.json` file. */
export function formatJsonSpec(name: string, addr: string, tls: TlsFiles): string {
  const { caFile, certFile, keyFile, serverName, insecureSkipVerify } = tls;
  const config = {
    CAFile: caFile,
    CertFile: certFile,
    KeyFile: keyFile,
    ServerName: serverName,
    InsecureSkipVerify: insecureSkipVerify,
  };
  return `${JSON.stringify({ Name: name, Addr: addr, TLSConfig: config }, undefined, 2)}\n`;
}

const tlsConfig = goStruct({
  CAFile: z.string().optional(),
  CertFile: z.string().optional(),
  KeyFile: z.string().optional(),
  ServerName: z.string().optional(),
  InsecureSkipVerify: z.boolean().optional(),
});
const jsonSpec = goStruct({ Addr: z.string().default(""), TLSConfig: tlsConfig.optional() });

function fromWire(config: z.output<typeof tlsConfig>): TlsFiles {
  return {
    caFile: config.CAFile || undefined,
    certFile: config.CertFile || undefined,
    keyFile: config.KeyFile || undefined,
    serverName: config.ServerName || undefined,
    insecureSkipVerify: config.InsecureSkipVerify,
  };
}

function addressIn(text: string, subject: string): Address {
  if (text === "") throw new CleatError("INVALID_ARGUMENT", `${subject} holds no address`);
  try {
    return parseAddress(text);
  } catch (error) {
    throw new CleatError("INVALID_ARGUMENT", `${subject}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
