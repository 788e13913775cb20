import type { DetailedPeerCertificate } from "node:tls";
import { quoteText } from "../../errors/index.ts";

/** What is known of a connection when it fails. */
export interface Handshake {
  /** The peer has proved who it is, as far as was asked. */
  readonly isDone: boolean;
  /** Whom the certificate must name. */
  readonly serverName: string;
  readonly showsCertificate: boolean;
  /** The peer's, once it has come. */
  readonly certificate: DetailedPeerCertificate | undefined;
}

/**
 * Says why a peer was not trusted, or did not trust us, to follow "https://… "; undefined when `error` is nothing of
 * TLS. What the peer says of itself is cut short and quoted.
 *
 * Source: OpenSSL 3.0 `openssl-verification-options(1)`, Node v20 `doc/api/tls.md` ("X509 certificate error codes").
 */
export function explainTlsFailure(error: NodeJS.ErrnoException, handshake: Handshake): string | undefined {
  const alert = /SSL alert number (\d+)/.exec(error.message)?.[1];
  if (alert !== undefined) return explainAlert(Number(alert), reasonOf(error), handshake);
  if (handshake.isDone) return undefined;
  if (handshake.certificate !== undefined) return explainRefusal(error, handshake.certificate, handshake.serverName);
  if (error.code === "ERR_SSL_UNSUPPORTED_PROTOCOL") return olderVersion;
  if (error.code === "ERR_SSL_WRONG_VERSION_NUMBER") return "answers in plaintext, not in TLS";
  return error.code?.startsWith("ERR_SSL_") === true ? `broke off the TLS handshake: ${reasonOf(error)}` : undefined;
}

const olderVersion = "speaks no TLS 1.2 or later";

/** Alerts by which servers refuse a client's certificate, or that there is none. Source: RFC 8446 section 6.2. */
const certificateAlerts: readonly number[] = [42, 43, 44, 45, 46, 48, 49, 116];
const handshakeFailureAlert = 40;
const protocolVersionAlert = 70;

function explainAlert(alert: number, reason: string, { showsCertificate }: Handshake): string {
  if (alert === protocolVersionAlert) return olderVersion;
  if (certificateAlerts.includes(alert)) {
    return showsCertificate
      ? `refuses the client's certificate: ${reason}`
      : "wants a client's certificate, and there is none to show";
  }
  const mayWantOne = alert === handshakeFailureAlert && !showsCertificate;
  return `refuses the TLS handshake: ${reason}${mayWantOne ? "; it may want a client's certificate" : ""}`;
}

function explainRefusal(error: NodeJS.ErrnoException, certificate: DetailedPeerCertificate, wanted: string): string {
  switch (error.code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID": {
      const { subjectaltname: names, subject } = certificate;
      return `has a certificate for ${quoteNames(names ?? subject?.CN)}, not for ${quoteNames(wanted)}`;
    }
    case "CERT_HAS_EXPIRED": {
      const expired = chainOf(certificate).find(({ valid_to }) => Date.parse(valid_to) < Date.now());
      return `has a certificate that expired${expired === undefined ? "" : ` on ${toDate(expired.valid_to)}`}`;
    }
    case "CERT_NOT_YET_VALID": {
      const early = chainOf(certificate).find(({ valid_from }) => Date.parse(valid_from) > Date.now());
      const from = early === undefined ? "" : `, but from ${toDate(early.valid_from)} on`;
      return `has a certificate that is not valid yet${from}`;
    }
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return "has a self-signed certificate, which is not among the trusted ones";
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return `has a certificate of the authority ${quoteNames(certificate.issuer?.CN)}, which is not trusted`;
    default:
      return `has a certificate that is not accepted: ${error.message}`;
  }
}

/** As far as it is known; the last one is its own issuer. */
function chainOf(certificate: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain = new Set<DetailedPeerCertificate>();
  for (let at = certificate; at !== undefined && !chain.has(at); at = at.issuerCertificate) chain.add(at);
  return [...chain];
}

/** OpenSSL's "Jan  1 00:00:00 2021 GMT" as "2021-01-01T00:00:00Z". */
function toDate(text: string): string {
  return new Date(text).toISOString().replace(".000", "");
}

/** A certificate may name many. */
function quoteNames(names: string | readonly string[] | undefined): string {
  return quoteText(String(names ?? ""), 200);
}

function reasonOf(error: Error): string {
  return "reason" in error && typeof error.reason === "string" ? error.reason : error.message;
}
