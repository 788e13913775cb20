import type { PublishFlags } from "./publisher.ts";

/** What `show-folder.ts` is started with, as JSON. */
export interface ShowRequest {
  readonly source: string;
  readonly target: string;
  readonly flags: PublishFlags;
}
