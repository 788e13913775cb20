/** Reasons for which a check means nothing to a driver. */
import { isInUserNamespace } from "../../syscall/index.ts";
import type { GraphDriverContext } from "./context.ts";

type Need = (context: GraphDriverContext) => string | undefined;

/** For files that only root may make: devices, other people's files, attributes beyond `user.`. */
export const root: Need = () => (process.geteuid?.() === 0 ? undefined : "an ordinary user may not make such files");

/**
 * For files that root of a user namespace may not make either: devices, `trusted.` attributes, owners that are not
 * mapped.
 */
export const hostRoot: Need = (context) =>
  root(context) ?? (isInUserNamespace() ? "root of a user namespace may not make such files" : undefined);

export const userNamespace: Need = (context) =>
  root(context) ?? (isInUserNamespace() ? undefined : "not in a user namespace");

export const mounts: Need = ({ driver }) =>
  driver.capabilities.mounts ? undefined : `driver "${driver.name}" mounts nothing`;

export const enforcedSizes: Need = ({ driver }) =>
  driver.capabilities.enforcesSize ? undefined : `driver "${driver.name}" enforces no sizes`;

export const protectedParents: Need = ({ driver }) =>
  driver.capabilities.protectsParents
    ? undefined
    : `driver "${driver.name}" leaves it to the engine which layers may go`;

export const maxDepthOf =
  (layers: number): Need =>
  ({ driver: { name, capabilities } }) =>
    capabilities.maxDepth >= layers ? undefined : `driver "${name}" stacks ${capabilities.maxDepth} layers at most`;

export const exactDiffs: Need = ({ driver }) =>
  driver.capabilities.reproducesExactDiffs ? undefined : `driver "${driver.name}" makes diffs anew`;

/** For what a driver does of its own accord, or with archives that cannot be given back. */
export const diffsMadeAnew: Need = ({ driver }) =>
  driver.capabilities.reproducesExactDiffs
    ? `driver "${driver.name}" gives back the archives of its layers`
    : undefined;

export const diffGetters: Need = ({ driver }) =>
  driver.diffGetter === undefined ? `driver "${driver.name}" hands out no files` : undefined;

/** For what the kit has to mount itself. */
export const mountSpecs: Need = (context) =>
  context.driver.mounts === undefined ? `driver "${context.driver.name}" tells no mounts` : mounter();

const mounter = (): string | undefined =>
  process.geteuid?.() === 0 ? undefined : "an ordinary user may not mount anything";

export const usages: Need = ({ driver }) =>
  driver.usage === undefined ? `driver "${driver.name}" tells of no layer what it takes` : undefined;

/** For what is written as an applier writes it, which takes the mounts too. */
export const rebases: Need = (context) =>
  context.driver.rebase === undefined
    ? `driver "${context.driver.name}" lays no layer on another that was made without`
    : mountSpecs(context);

export const lists: Need = ({ driver }) =>
  driver.list === undefined ? `driver "${driver.name}" lists no layers` : undefined;
