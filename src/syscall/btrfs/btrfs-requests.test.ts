import { expect, it } from "vitest";

import { headersObstacle, readHeaders } from "../kernel-headers.test.support.ts";
import { btrfsRequests } from "./btrfs-requests.ts";

const names = Object.keys(btrfsRequests);
const expressions = names.map((name) => `BTRFS_IOC_${name}`);

for (const of of ["own", "arm64"] as const) {
  it(`the requests of btrfs are those that a C compiler makes of the headers of ${of}`, ({ skip }) => {
    const obstacle = headersObstacle(of);
    if (obstacle !== undefined) return skip(obstacle);
    const kernels = readHeaders(of, ["linux/btrfs.h"], expressions);
    expect(btrfsRequests).toEqual(Object.fromEntries(names.map((name, at) => [name, kernels[at]])));
  });
}
