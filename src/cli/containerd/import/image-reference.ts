/**
 * The name by which containerd's clients know an image that Docker shows by a short one: "busybox:latest" is
 * "docker.io/library/busybox:latest". Source: distribution/reference v0.5.0 `normalize.go`, `splitDockerDomain`.
 */
export function toFullReference(name: string): string {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const hasDomain = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  const domain = hasDomain && first !== legacyDomain ? first : defaultDomain;
  const path = hasDomain ? name.slice(slash + 1) : name;
  return domain === defaultDomain && !path.includes("/") ? `${domain}/library/${path}` : `${domain}/${path}`;
}

const defaultDomain = "docker.io";
const legacyDomain = "index.docker.io";

/**
 * The name of an image that has none: Docker shows it as "<none>", and its prune removes it. Source: moby
 * `daemon/containerd/soft_delete.go`, `danglingImageName`.
 */
export function toDanglingReference(digest: string): string {
  return `moby-dangling@${digest}`;
}
