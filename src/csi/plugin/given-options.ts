/**
 * The prefix of what Kubernetes adds to parameters with `--extra-create-metadata`: the names of the claim, of the
 * volume, of the snapshot there. None is an option of the driver's. Source: external-provisioner v5.0
 * `pkg/controller/controller.go`, external-snapshotter v8.0 `pkg/utils/util.go`.
 */
const orchestratorPrefix = "csi.storage.k8s.io/";

/** The options of a volume or snapshot that a request gives. */
export function givenOptions({
  parameters,
  secrets,
}: {
  readonly parameters: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}): Record<string, string> {
  const own = Object.entries(parameters).filter(([name]) => !name.startsWith(orchestratorPrefix));
  return { ...Object.fromEntries(own), ...secrets };
}
