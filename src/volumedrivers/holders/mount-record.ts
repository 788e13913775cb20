import { z } from "zod";

/** That a volume is mounted, or may be. There is none for one that is not. */
export const mountRecord = z.strictObject({
  /** Who has it mounted; none while it waits to be unmounted. */
  holders: z.array(z.string()),
  /** Where its files are; none while it is being mounted, or half unmounted. */
  path: z.string().optional(),
  /** Whether that takes a mount at its target, which the kernel knows better. */
  isMount: z.boolean().optional(),
  /** Which boot of the machine this was: no mount and no holder outlives it. */
  boot: z.string(),
});

/** Whoever may have mounted it since older records were written that a backup has brought back. */
export const unknownHolder = "unknown, as older records were brought back";

export type MountRecord = Readonly<z.output<typeof mountRecord>>;
