import { expect, it } from "vitest";

import { inodeFlagRequests } from "../files/copy-on-write.ts";
import { headersObstacle, readHeaders } from "../kernel-headers.test.support.ts";
import { diskQuota, fileAttributeRequests, fileAttributes, quotaRequests, quotaStatus } from "./project-requests.ts";

const offset = (struct: string, field: string) => `offset(${struct}, ${field})`;

const expressions = {
  "sizeof(struct fsxattr)": fileAttributes.sizeBytes,
  [offset("fsxattr", "fsx_xflags")]: fileAttributes.flagsAt,
  [offset("fsxattr", "fsx_projid")]: fileAttributes.projectAt,
  FS_IOC_GETFLAGS: inodeFlagRequests.GETFLAGS,
  FS_IOC_SETFLAGS: inodeFlagRequests.SETFLAGS,
  FS_NOCOW_FL: inodeFlagRequests.NOCOW,
  FS_XFLAG_IMMUTABLE: fileAttributes.IMMUTABLE,
  FS_XFLAG_APPEND: fileAttributes.APPEND,
  FS_XFLAG_PROJINHERIT: fileAttributes.PROJINHERIT,
  FS_IOC_FSGETXATTR: fileAttributeRequests.FSGETXATTR,
  FS_IOC_FSSETXATTR: fileAttributeRequests.FSSETXATTR,
  Q_XGETQUOTA: quotaRequests.XGETQUOTA,
  Q_XSETQLIM: quotaRequests.XSETQLIM,
  Q_XGETQSTAT: quotaRequests.XGETQSTAT,
  "sizeof(struct fs_quota_stat)": quotaStatus.sizeBytes,
  [offset("fs_quota_stat", "qs_flags")]: quotaStatus.flagsAt,
  FS_QUOTA_PDQ_ACCT: quotaStatus.PDQ_ACCT,
  FS_QUOTA_PDQ_ENFD: quotaStatus.PDQ_ENFD,
  "sizeof(struct fs_disk_quota)": diskQuota.sizeBytes,
  [offset("fs_disk_quota", "d_version")]: diskQuota.versionAt,
  FS_DQUOT_VERSION: diskQuota.VERSION,
  [offset("fs_disk_quota", "d_flags")]: diskQuota.flagsAt,
  FS_PROJ_QUOTA: diskQuota.PROJ_QUOTA,
  [offset("fs_disk_quota", "d_fieldmask")]: diskQuota.fieldsAt,
  FS_DQ_BSOFT: diskQuota.BSOFT,
  FS_DQ_BHARD: diskQuota.BHARD,
  [offset("fs_disk_quota", "d_id")]: diskQuota.idAt,
  [offset("fs_disk_quota", "d_blk_hardlimit")]: diskQuota.hardLimitAt,
  [offset("fs_disk_quota", "d_blk_softlimit")]: diskQuota.softLimitAt,
  [offset("fs_disk_quota", "d_bcount")]: diskQuota.blocksAt,
  [offset("fs_disk_quota", "d_icount")]: diskQuota.inodesAt,
};

const includes = ["linux/fs.h", "linux/dqblk_xfs.h"];

for (const of of ["own", "arm64"] as const) {
  it(`projects and their quotas are laid out as a C compiler reads the headers of ${of}`, ({ skip }) => {
    const obstacle = headersObstacle(of);
    if (obstacle !== undefined) return skip(obstacle);
    const kernels = readHeaders(of, includes, Object.keys(expressions));
    expect(expressions).toEqual(Object.fromEntries(Object.keys(expressions).map((text, at) => [text, kernels[at]])));
  });
}
