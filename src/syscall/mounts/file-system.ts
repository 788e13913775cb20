import { bindSystemCall, check } from "../libc.ts";

const fstatfsCall = bindSystemCall("fstatfs", "int", "void *");

/** `struct statfs` is 120 bytes; the magic number stands first. Source: statfs(2), `asm-generic/statfs.h` v6.1. */
const buffer = Buffer.alloc(120);

/**
 * Names of file systems by their magic number: as Docker prints them where it has a name (`extfs` stands for ext2, ext3
 * and ext4, which share one number, as all of FUSE does), else as mount(8) has them.
 *
 * Source: `FsNames` of moby v20.10.24 `daemon/graphdriver/driver_linux.go`; `linux/magic.h` v6.1; for those outside the
 * kernel's header their own sources (bcachefs, ceph, exfat, gfs2, gpfs, lustre, ntfs, orangefs, shiftfs, vboxsf, vxfs,
 * zfs).
 */
export const fileSystemNames: Readonly<Record<number, string>> = {
  0xadf5: "adfs",
  0xadff: "affs",
  0x5346414f: "afs",
  0x6b414653: "afs",
  0x61756673: "aufs",
  0x0187: "autofs",
  0xca451a4e: "bcachefs",
  0x42465331: "befs",
  0x42494e4d: "binfmt_misc",
  0xcafe4a11: "bpf",
  0x9123683e: "btrfs",
  0x00c36400: "ceph",
  0x27e0eb: "cgroup",
  0x63677270: "cgroup2",
  0xff534d42: "cifs",
  0x73757245: "coda",
  0x28cd3d45: "cramfs",
  0x453dcd28: "cramfs",
  0x64626720: "debugfs",
  0x1cd1: "devpts",
  0xf15f: "ecryptfs",
  0xde5e81e4: "efivarfs",
  0x414a53: "efs",
  0xe0f5e1e2: "erofs",
  0x2011bab0: "exfat",
  0xef53: "extfs",
  0xf2f52010: "f2fs",
  0x65735546: "fuse",
  0x01161970: "gfs2",
  0x47504653: "gpfs",
  0x4244: "hfs",
  0x482b: "hfsplus",
  0x00c0ffee: "hostfs",
  0xf995e849: "hpfs",
  0x958458f6: "hugetlbfs",
  0x9660: "iso9660",
  0x72b6: "jffs2",
  0x3153464a: "jfs",
  0x0bd00bd0: "lustre",
  0x137f: "minix",
  0x138f: "minix",
  0x2468: "minix",
  0x2478: "minix",
  0x4d5a: "minix",
  0x4d44: "vfat",
  0x564c: "ncpfs",
  0x6969: "nfs",
  0x3434: "nilfs2",
  0x6e736673: "nsfs",
  0x5346544e: "ntfs",
  0x7366746e: "ntfs3",
  0x7461636f: "ocfs2",
  0x20030528: "orangefs",
  0x794c7630: "overlayfs",
  0x9fa0: "proc",
  0x6165676c: "pstore",
  0x002f: "qnx4",
  0x68191122: "qnx6",
  0x858458f6: "ramfs",
  0x52654973: "reiserfs",
  0x7275: "romfs",
  0x73636673: "securityfs",
  0xf97cff8c: "selinuxfs",
  0x6a656a62: "shiftfs",
  0x43415d53: "smackfs",
  0x517b: "smb",
  0xfe534d42: "smb2",
  0x73717368: "squashfs",
  0x62656572: "sysfs",
  0x01021994: "tmpfs",
  0x74726163: "tracefs",
  0x24051905: "ubifs",
  0x15013346: "udf",
  0x00011954: "ufs",
  0x01021997: "9p",
  0x786f4256: "vboxsf",
  0xa501fcf5: "vxfs",
  0xabba1974: "xenfs",
  0x58465342: "xfs",
  0x2fc12fc1: "zfs",
  0x5a4f4653: "zonefs",
};

/** The file system that holds an open file, by the name Docker prints for it; an unknown one by its magic number. */
export function fileSystemName(descriptor: number): string {
  check(fstatfsCall(descriptor, buffer), "fstatfs");
  const magic = buffer.readUInt32LE(0);
  return fileSystemNames[magic] ?? `0x${magic.toString(16)}`;
}
