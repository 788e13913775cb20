import { keepToFolder } from "../../../syscall/index.ts";
import type { GraphDriverMethods } from "../../driver.ts";

/**
 * A driver whose layers are named by paths below `home`, kept to the folder that stands there now: another store may
 * come to stand at its path, as when a disk is mounted after the plugin has started. Every method but `close` fails
 * with FAILED_PRECONDITION then. Methods in `instead` take the place of its own.
 */
export function keepToHome(
  driver: GraphDriverMethods,
  home: string,
  instead: Partial<GraphDriverMethods> = {},
): GraphDriverMethods {
  const assertInPlace = keepToFolder(home, "home");
  return new Proxy({} as GraphDriverMethods, {
    get(_, name): unknown {
      const owner = Object.hasOwn(instead, name) ? instead : driver;
      const member: unknown = Reflect.get(owner, name);
      if (typeof member !== "function") return member;
      return (...given: readonly unknown[]): unknown => {
        if (name !== "close") assertInPlace();
        return Reflect.apply(member, owner, given);
      };
    },
  });
}
