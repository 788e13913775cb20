/** Homes that cannot be one. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";

import { assertRefused, factories } from "./layers.mjs";

export async function homeIsFile(driver, folder) {
  const home = `${folder}/file`;
  writeFileSync(home, "mine");
  await assertRefused(factories[driver].open({ home }), "FAILED_PRECONDITION", home);
  assert.equal(readFileSync(home, "latin1"), "mine");
}

export async function homeBelowFile(driver, folder) {
  writeFileSync(`${folder}/file`, "mine");
  const home = `${folder}/file/below/home`;
  await assertRefused(factories[driver].open({ home }), "FAILED_PRECONDITION", home);
}

export async function homeIsDanglingLink(driver, folder) {
  const home = `${folder}/link`;
  symlinkSync(`${folder}/nothing`, home);
  await assertRefused(factories[driver].open({ home }), "FAILED_PRECONDITION", home);
}

export async function homeServedTwice(driver, folder) {
  const home = `${folder}/home`;
  const first = await factories[driver].open({ home });
  await assertRefused(factories[driver].open({ home }), "FAILED_PRECONDITION", home, "served");
  symlinkSync(home, `${folder}/alias`);
  await assertRefused(factories[driver].open({ home: `${folder}/alias` }), "FAILED_PRECONDITION", "served");
  const other = spawnSync(process.execPath, [`${import.meta.dirname}/open-home.mjs`, driver, home], {
    encoding: "utf8",
  });
  assert.equal(other.stdout.trim(), "FAILED_PRECONDITION", other.stderr);
  await first.create("works", {});
  await first.close();
  const second = await factories[driver].open({ home });
  assert.equal(await second.exists("works"), true);
  await second.close();
}

/** All files of such a store are the user's, and root would read them as files of that user's in a container. */
export async function homeOfOrdinaryUser(driver, folder) {
  const home = `${folder}/home`;
  mkdirSync(home);
  chownSync(home, 65_534, 65_534);
  const asUser = () =>
    spawnSync(process.execPath, [`${import.meta.dirname}/open-home.mjs`, driver, home], {
      encoding: "utf8",
      uid: 65_534,
      gid: 65_534,
    });
  for (let round = 0; round < 2; round++) {
    const { stdout, stderr } = asUser();
    assert.equal(stdout.trim(), "opened", stderr);
    await assertRefused(factories[driver].open({ home }), "FAILED_PRECONDITION", home, "ordinary user");
  }
}

export async function homeOnAnotherFileSystem(driver, folder) {
  const open = factories[driver].open({ home: `${folder}/home` });
  await assertRefused(open, "UNIMPLEMENTED", `needs a home on btrfs: probed statfs(2) of "${folder}/home", saw `);
}

export async function homeIsReadOnly(driver, folder) {
  const home = `${folder}/home`;
  const first = await factories[driver].open({ home });
  await first.create("layer", {});
  await first.close();
  spawnSync("mount", ["--bind", folder, folder]);
  spawnSync("mount", ["-o", "remount,bind,ro", folder]);
  await assertRefused(factories[driver].open({ home }), "PERMISSION_DENIED", home, "EROFS");
  await assertRefused(factories[driver].open({ home: `${folder}/other` }), "PERMISSION_DENIED", "other", "EROFS");
}

/** An ordinary user may make subvolumes, but not delete them. */
export async function ordinaryUser(driver, folder) {
  const home = `${folder}/home`;
  mkdirSync(home);
  chownSync(home, 65_534, 65_534);
  const other = spawnSync(process.execPath, [`${import.meta.dirname}/open-home.mjs`, driver, home], {
    encoding: "utf8",
    uid: 65_534,
    gid: 65_534,
  });
  assert.equal(other.stdout.trim(), "UNIMPLEMENTED", other.stderr);
}
