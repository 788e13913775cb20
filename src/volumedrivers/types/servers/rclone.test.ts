import { describe, expect, it } from "vitest";
import { readOptions } from "../../options/read-options.ts";
import { createRclone } from "./rclone.ts";

const rclone = createRclone({ configFolders: ["/etc/rclone", "/srv/keys/"] });
const read = (given: Readonly<Record<string, string>>, backend = rclone) => readOptions(backend, given);
const evil = ':webdav,url="http://x",bearer_token_command="touch /x":';

describe("options of rclone", () => {
  it.each<[Readonly<Record<string, string>>, RegExp]>([
    [{ backend: "alias", "alias-remote": evil }, /"backend" takes local, /],
    [{ backend: "crypt", "crypt-remote": evil }, /"backend" takes local, /],
    [{ backend: "union", "union-upstreams": `${evil} /b` }, /"backend" takes local, /],
    ...["combine", "chunker", "compress", "hasher", "cache", "constructor", "toString"].map(
      (backend): [Readonly<Record<string, string>>, RegExp] => [{ backend }, /"backend" takes local, /],
    ),
    [{ backend: "webdav", "webdav-type": "alias" }, /"webdav-type" is no option/],
    [{ backend: "webdav", "webdav-bearer-token-command": "x" }, /"webdav-bearer-token-command" is no option/],
    [{ backend: "sftp", "sftp-ssh": "x" }, /"sftp-ssh" is no option/],
    [{ backend: "sftp", "sftp-server-command": "x" }, /"sftp-server-command" is no option/],
    [{ backend: "webdav", "webdav-constructor": "x" }, /"webdav-constructor" is no option/],
    [{ backend: "webdav", "sftp-host": "x" }, /"sftp-host" is no option/],
    [{ backend: "webdav", "webdav-url": evil }, /"webdav-url" has a value that/],
    [{ "webdav-url": "http://x" }, /"webdav-url" needs "backend"/],
  ])("refuses %j", (given, message) => {
    expect(() => read({ device: "/a", ...given })).toThrow(message);
  });

  it.each(["/var/lib/x.conf", "/etc/rclone", "/etc/rclone/../x.conf", "/etc/rclone-mine/x", "/etc/rclone/.${A}./x"])(
    "refuses a configuration and keys at %s, which no operator named",
    (path) => {
      expect(() => read({ device: "r:data", config: path })).toThrow(
        /"config" takes a file below \/etc\/rclone or \/srv\/keys,/,
      );
      expect(() => read({ device: "/a", backend: "sftp", "sftp-key-file": path })).toThrow(
        /"sftp-key-file" takes a file below/,
      );
    },
  );

  it("refuses every file where no folder was named", () => {
    const bare = createRclone();
    expect(() => read({ device: "r:data", config: "/etc/rclone/x.conf" }, bare)).toThrow(
      /"config" is taken from no folder: none was named/,
    );
  });

  it("takes what the operator named, and servers with their accounts", () => {
    expect(read({ device: "r:data", config: "/etc/rclone/sub/x.conf" })).toMatchObject({ device: "r:data" });
    const keys = { "sftp-key-file": "/srv/keys/id", "sftp-known-hosts-file": "/srv/keys/known" };
    expect(read({ device: "/a", backend: "sftp", "sftp-host": "x", ...keys })).toMatchObject(keys);
    const account = { "webdav-url": "http://x", "webdav-user": "me", "webdav-pass": ":it is disguised" };
    expect(read({ device: "/", backend: "webdav", ...account })).toMatchObject(account);
    expect(read({ device: "/srv", backend: "local" })).toMatchObject({ backend: "local" });
    expect(
      read({ device: "data", backend: "s3", "s3-provider": "Minio", "s3-endpoint": "http://x:9000" }),
    ).toBeDefined();
  });
});
