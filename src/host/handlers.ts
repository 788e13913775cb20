import { announcedName, type Protocol } from "../protocol/index.ts";
import type { Logger } from "../transport/index.ts";
import type { Link } from "./link.ts";

/** Whom to tell of plugins that implement something. */
export interface Handlers {
  /** Tells of those among `links` that are active, and of each that `activated` names. Returns how to stop that. */
  add(handler: Handler, links: Iterable<Link>): () => void;
  activated(link: Link): void;
}

export interface Handler {
  readonly protocol: Protocol;
  call(link: Link): void;
}

/** Handlers are called after the current step, so that nobody is called before `add` has returned. */
export function createHandlers(logger: Logger): Handlers {
  const handlers = new Set<Handler>();

  function tell(handler: Handler, link: Link): void {
    if (link.active?.implements.includes(announcedName(handler.protocol)) !== true) return;
    queueMicrotask(() => {
      if (!handlers.has(handler)) return;
      try {
        handler.call(link);
      } catch (error) {
        logger.error({ plugin: link.name, err: error }, "a handler of plugins failed");
      }
    });
  }

  return {
    add(handler, links) {
      handlers.add(handler);
      for (const link of links) tell(handler, link);
      return () => handlers.delete(handler);
    },
    activated(link) {
      for (const handler of handlers) tell(handler, link);
    },
  };
}
