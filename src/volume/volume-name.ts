import { CleatError, quoteText } from "../errors/index.ts";

/**
 * What a volume may be called: something that drivers make a path of, so it holds nothing that a path would resolve,
 * and is no longer than a file's name may be (`NAME_MAX`, 255 bytes). Podman's own pattern, which takes every name of
 * Docker's own volumes too. Docker hands other names on to plugins unchecked.
 *
 * Source: podman v4.3.1 `libpod/define/config.go`, `NameRegex`; moby v20.10.24 `daemon/names/names.go`; limits.h(0p).
 */
export const volumeNamePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/;

/** @throws INVALID_ARGUMENT when `name` may not name a volume. */
export function assertVolumeName(name: string): void {
  if (volumeNamePattern.test(name)) return;
  throw new CleatError(
    "INVALID_ARGUMENT",
    `volume name ${quoteText(name)} is not of the form ${volumeNamePattern.source}`,
  );
}
