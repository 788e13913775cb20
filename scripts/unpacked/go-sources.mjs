/**
 * The Go of a release that is unpacked in a folder, and the Go sources that tests compile there. It runs on this
 * machine as it is.
 */
import { join } from "node:path";

/**
 * Debian's packages of what containerd 2's suite for snapshotters is compiled from (`test/interop/containerd-suite`).
 * All that the first depends on would be 370 MB to fetch, and 2 GB on disk. What is missing when testing has moved on,
 * Go names.
 */
export const containerdSources = [
  "golang-github-containerd-containerd-dev",
  "golang-github-containerd-containerd-api-dev",
  "golang-github-containerd-continuity-dev",
  "golang-github-containerd-errdefs-dev",
  "golang-github-containerd-log-dev",
  "golang-github-containerd-ttrpc-dev",
  "golang-github-containerd-typeurl-dev",
  "golang-github-coreos-bbolt-dev",
  "golang-github-davecgh-go-spew-dev",
  "golang-github-gogo-protobuf-dev",
  "golang-github-golang-protobuf-1-5-dev",
  "golang-github-google-go-cmp-dev",
  "golang-github-moby-sys-dev",
  "golang-github-opencontainers-go-digest-dev",
  "golang-github-opencontainers-image-spec-dev",
  "golang-github-opencontainers-specs-dev",
  "golang-github-pmezard-go-difflib-dev",
  "golang-github-sirupsen-logrus-dev",
  "golang-github-stretchr-testify-dev",
  "golang-golang-x-net-dev",
  "golang-golang-x-sync-dev",
  "golang-golang-x-sys-dev",
  "golang-golang-x-text-dev",
  "golang-google-genproto-dev",
  "golang-google-grpc-dev",
  "golang-google-protobuf-dev",
  "golang-gopkg-yaml.v3-dev",
];

/**
 * The compiler of the release whose root is `folder`: its program, and what it finds in its environment. It is
 * statically linked.
 */
export function goIn(folder) {
  const goRoot = join(folder, "usr/lib/go");
  return {
    program: join(goRoot, "bin/go"),
    env: {
      GOROOT: goRoot,
      GOPATH: join(folder, "usr/share/gocode"),
      GO111MODULE: "off",
      GOFLAGS: "",
      CGO_ENABLED: "0",
    },
  };
}
