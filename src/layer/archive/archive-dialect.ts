/**
 * Whose archiver an archive is like, so that a layer made anew has the digest that the engine's own driver would give
 * it. `docker-20.10` writes the host's names of owners and, in modes, the bits of file types; `docker-26` writes
 * neither.
 *
 * Source: moby v20.10.24 and v26.1.5 `pkg/archive/archive.go`, `FileInfoHeader`. Names went with moby#43185 (v23;
 * v20.10.27 by moby#46695), type bits with moby#44083.
 */
export type ArchiveDialect = "docker-20.10" | "docker-26";
