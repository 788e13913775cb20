/**
 * Which of rclone's backends a volume may have, and which of their options: those that reach a server or a folder, and
 * say who asks. None refers to another remote (`alias`, `crypt`, `union`), which may be one in a text whose options
 * name a command; none names a command, a program or the environment. Source: `rclone help backend NAME` 1.60.
 */

/** Names apart by blanks. */
const names = (text: string): readonly string[] => text.trim().split(/\s+/);

const inParts = "chunk-size upload-cutoff disable-checksum encoding";

export const rcloneBackends = {
  local: names("copy-links links skip-links one-file-system no-check-updated no-set-modtime encoding"),
  s3: names(`
    provider access-key-id secret-access-key session-token region endpoint location-constraint acl bucket-acl
    server-side-encryption sse-kms-key-id storage-class sse-customer-algorithm sse-customer-key
    sse-customer-key-base64 sse-customer-key-md5 requester-pays force-path-style v2-auth
    use-accelerate-endpoint disable-http2 max-upload-parts list-chunk list-version no-check-bucket no-head
    no-head-object copy-cutoff upload-concurrency ${inParts}
  `),
  webdav: names("url vendor user pass bearer-token headers encoding"),
  sftp: names(`
    host user port pass key-pem key-file key-file-pass pubkey-file known-hosts-file use-insecure-cipher
    disable-hashcheck set-modtime skip-links subsystem use-fstat idle-timeout chunk-size concurrency
    disable-concurrent-reads disable-concurrent-writes
  `),
  ftp: names(`
    host user port pass encoding tls explicit-tls no-check-certificate disable-tls13 tls-cache-size
    concurrency disable-epsv disable-mlsd disable-utf8 writing-mdtm force-list-hidden idle-timeout
    close-timeout shut-timeout
  `),
  smb: names("host user port pass encoding domain idle-timeout hide-special-share case-insensitive"),
  http: names("url headers no-slash no-head"),
  b2: names(`account key endpoint hard-delete copy-cutoff ${inParts}`),
  azureblob: names(`account key sas-url endpoint access-tier list-chunk no-head-object upload-concurrency ${inParts}`),
  gcs: names(`
    client-id client-secret token service-account-file project-number anonymous endpoint object-acl bucket-acl
    bucket-policy-only location storage-class no-check-bucket encoding
  `),
  swift: names(`
    user key auth auth-version user-id domain tenant tenant-id tenant-domain region storage-url auth-token
    endpoint-type storage-policy chunk-size no-chunk encoding application-credential-id
    application-credential-name application-credential-secret
  `),
  drive: names(`
    client-id client-secret token encoding root-folder-id scope service-account-file team-drive chunk-size
    upload-cutoff use-trash
  `),
  dropbox: names(`
    client-id client-secret token encoding chunk-size batch-mode batch-size batch-timeout shared-folders
  `),
  onedrive: names(`
    client-id client-secret token encoding root-folder-id region drive-id drive-type chunk-size list-chunk
    no-versions
  `),
  pcloud: names("client-id client-secret token encoding root-folder-id hostname username password"),
} as const satisfies Record<string, readonly string[]>;

export type RcloneBackend = keyof typeof rcloneBackends;

/** "webdav-url": as users write them, of all backends or of one. */
export function optionsOfBackend(backend: RcloneBackend): ReadonlySet<string> {
  return new Set(rcloneBackends[backend].map((name) => `${backend}-${name}`));
}
