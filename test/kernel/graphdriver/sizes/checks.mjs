/** What runs in the virtual machine; a processor that is emulated leaves time for what the quotas could break. */

/** Checks of the kit. */
export const kitChecks = [
  "life/create-at-once",
  "life/init-layer",
  "life/metadata",
  "quota/enforced",
  "quota/of-one",
  "quota/restart",
  "quota/refused",
];

/** Scenarios beside it, by the names of their functions in `scenarios.mjs`. */
export const scenarioTitles = {
  fullContainer: "a container that has filled its disk is mounted writable again",
  renames: "whatever a container renames and links stays within its project",
  twoStores: "two stores on one file system share no project",
  forgotten: "a removed layer leaves no limit behind",
  appliedDiff: "a diff that is applied is limited, and comes into the layer whole",
  dockersLayout: "a layer whose folder hands its project on, as Docker makes it, is filled, mounted and removed",
  homeWithProject: "a home with a project of its own, as an administrator gives it one, is served",
  defaultSize: "a size for all containers is that of containers only, and of those that ask for none",
  noRoom: "a size that leaves no room is refused",
  byDevice: "a kernel that wants a block device gets one",
  withoutQuotas: "where nothing enforces sizes, they are refused, and why",
};
