/**
 * Names of extended attributes as GNU tar has them in the keys of PAX records, which would end at an "=". Docker, Go and
 * libarchive know nothing of it: in a layer's archive a name is what it is. Source: GNU tar 1.34 `src/xheader.c`
 * `xattr_encode_keyword`, `xattr_decode_keyword`.
 */
export function escapeXattrName(name: string): string {
  return name.replaceAll("%", "%25").replaceAll("=", "%3D");
}

export function unescapeXattrName(name: string): string {
  return name.replace(/%(25|3D)/g, (_, digits) => (digits === "25" ? "%" : "="));
}
