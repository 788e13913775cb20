import { expect, it } from "vitest";
import { toDanglingReference, toFullReference } from "./image-reference.ts";

it.each([
  ["busybox:latest", "docker.io/library/busybox:latest"],
  ["somebody/thing:1", "docker.io/somebody/thing:1"],
  ["somebody/deep/thing:1", "docker.io/somebody/deep/thing:1"],
  ["docker.io/busybox:1", "docker.io/library/busybox:1"],
  ["index.docker.io/busybox:1", "docker.io/library/busybox:1"],
  ["localhost/layered:latest", "localhost/layered:latest"],
  ["localhost:5000/layered:latest", "localhost:5000/layered:latest"],
  ["registry/layered:latest", "docker.io/registry/layered:latest"],
  ["Registry/layered:latest", "Registry/layered:latest"],
  ["quay.io/a/b:c", "quay.io/a/b:c"],
])("%s is %s", (name, full) => {
  expect(toFullReference(name)).toBe(full);
});

it("of an image without a name is that under which Docker keeps one", () => {
  expect(toDanglingReference("sha256:1")).toBe("moby-dangling@sha256:1");
});
