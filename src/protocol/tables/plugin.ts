import { z } from "zod";
import { defineProtocol } from "../definition/define-protocol.ts";
import { goStruct } from "../definition/go-json.ts";

/** What every plugin answers. */
export const pluginProtocol = defineProtocol({
  name: "Plugin",
  summary: "Every plugin answers this; an engine asks it once before it calls anything else.",
  methods: {
    activate: {
      summary: "Which protocols the plugin speaks. The body of the request is empty.",
      path: "/Plugin.Activate",
      framing: "json",
      safe: true,
      request: goStruct({}),
      response: goStruct({ Implements: z.array(z.string()).default([]) }),
      timeoutMs: 10_000,
      maxReplyBytes: 64 * 1024, // no manifest is longer; a plugin that answers more is none
      source: "moby v20.10.24 pkg/plugins/plugins.go",
    },
  },
});
