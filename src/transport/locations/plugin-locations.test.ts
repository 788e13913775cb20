import { userInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { pluginLocations } from "./plugin-locations.ts";

const system = {
  sockets: ["/run/docker/plugins"],
  specs: ["/etc/docker/plugins", "/usr/lib/docker/plugins"],
};

describe("the folders of plugins", () => {
  it("are for root the system's, whatever the environment", () => {
    const env = { HOME: "/root", XDG_RUNTIME_DIR: "/run/user/0", XDG_CONFIG_HOME: "/root/c" };
    expect(pluginLocations({ uid: 0, env })).toEqual(system);
    expect(pluginLocations({ uid: 0, env: { ...env, ROOTLESSKIT_STATE_DIR: "" } })).toEqual(system);
  });

  const env = { HOME: "/home/u", XDG_RUNTIME_DIR: "/run/user/7", XDG_CONFIG_HOME: "/home/u/conf" };
  it.each([
    ["an ordinary user", { uid: 7, env }],
    ["root inside RootlessKit", { uid: 0, env: { ...env, ROOTLESSKIT_STATE_DIR: "/tmp/rootlesskit1" } }],
  ])("are for %s first the user's own, that of configuration included (U7)", (_, who) => {
    expect(pluginLocations(who)).toEqual({
      sockets: ["/run/user/7/docker/plugins", ...system.sockets],
      specs: ["/home/u/conf/docker/plugins", "/home/u/.local/lib/docker/plugins", ...system.specs],
    });
  });

  it.each([
    ["not set", {}],
    ["empty", { XDG_RUNTIME_DIR: "", XDG_CONFIG_HOME: "" }],
    ["relative", { XDG_RUNTIME_DIR: "run", XDG_CONFIG_HOME: "./conf" }],
  ])("are their defaults where a variable is %s", (_, variables) => {
    expect(pluginLocations({ uid: 7, env: { HOME: "/home/u", ...variables } })).toEqual({
      sockets: system.sockets,
      specs: ["/home/u/.config/docker/plugins", "/home/u/.local/lib/docker/plugins", ...system.specs],
    });
  });

  it.each([{}, { HOME: "" }, { HOME: "relative" }])(
    "are in the home on record where the environment is %j",
    (without) => {
      const home = userInfo().homedir;
      expect(pluginLocations({ uid: 7, env: without }).specs.slice(0, 2)).toEqual([
        `${home}/.config/docker/plugins`,
        `${home}/.local/lib/docker/plugins`,
      ]);
    },
  );

  it("are those of this process when nobody is named", () => {
    expect(pluginLocations()).toEqual(pluginLocations({ uid: process.getuid?.(), env: process.env }));
  });
});
