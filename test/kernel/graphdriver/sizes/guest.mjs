import { execFileSync } from "node:child_process";
import { overlay2 } from "cleat/graphdriver";
import { graphDriverChecks, runGraphDriverKit } from "cleat/testing";
const t0 = process.uptime();
const sh = (c) => execFileSync("sh", ["-c", c], { encoding: "utf8" });
const out = (o) => console.log(JSON.stringify(o));
out({ t0 });
for (const [dev, fs] of [
  ["vda", "xfs"],
  ["vdb", "ext4"],
]) {
  const p = `/tmp/${fs}`;
  try {
    sh(`mkdir -p ${p} && mount -t ${fs} -o prjquota /dev/${dev} ${p}`);
    const t = process.uptime();
    await runGraphDriverKit({
      open: overlay2.open,
      folder: p,
      reuse: true,
      only: graphDriverChecks.map((c) => c.id).filter((i) => /^(quota|life)\//.test(i)),
      onResult: ({ id, outcome, reason, error }) => out({ fs, id, outcome, reason, error: error && String(error) }),
    });
    out({ fs, took: process.uptime() - t });
  } catch (e) {
    out({ fs, error: e.stack });
  }
}
