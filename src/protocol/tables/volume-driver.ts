/** Fields keep the wire's spelling. */
import { z } from "zod";
import { defineProtocol } from "../definition/define-protocol.ts";
import { goStruct } from "../definition/go-json.ts";

const proxy = "moby v20.10.24 volume/drivers/proxy.go";
const minuteMs = 60_000;

const named = goStruct({ Name: z.string() });
const held = goStruct({ Name: z.string(), ID: z.string().default("") });
const mountpoint = goStruct({ Mountpoint: z.string().default("") });
const nothing = goStruct({});

/** `Name` is empty where a plugin forgot it, so that one such volume hides no others. */
const volume = goStruct({
  Name: z.string().default(""),
  Mountpoint: z.string().optional(),
  CreatedAt: z.string().optional(),
  Status: z.record(z.string(), z.unknown()).optional(),
});

export const volumeDriverProtocol = defineProtocol({
  name: "VolumeDriver",
  summary:
    "Docker's volume plugins (since 1.8), which Podman speaks too. The deadlines are Docker's own: two minutes for " +
    "what may have to build something, one for the rest; Podman gives every call 5 s (podman v4.3.1 " +
    "`libpod/plugin/volume_api.go`).",
  methods: {
    create: {
      summary:
        "Makes a volume, unless one of that name and those options is there. `Opts` is what the user gave with " +
        "`--opt`.",
      path: "/VolumeDriver.Create",
      framing: "json",
      request: goStruct({ Name: z.string(), Opts: z.record(z.string(), z.string()).default({}) }),
      response: nothing,
      subject: "Name",
      timeoutMs: 2 * minuteMs,
      source: proxy,
    },
    list: {
      summary:
        "Every volume. `Status` is free-form, shown by `docker volume inspect`; `CreatedAt` is RFC 3339, and Go's " +
        "zero time where it is unknown.",
      path: "/VolumeDriver.List",
      framing: "json",
      safe: true,
      request: nothing,
      response: goStruct({ Volumes: z.array(volume).default([]) }),
      timeoutMs: minuteMs,
      source: proxy,
    },
    get: {
      summary:
        "One volume. An unknown name is to be a failure; a plugin that answers no volume instead is read as having " +
        "none.",
      path: "/VolumeDriver.Get",
      framing: "json",
      safe: true,
      request: named,
      response: goStruct({ Volume: volume.optional() }),
      subject: "Name",
      timeoutMs: minuteMs,
      source: proxy,
    },
    remove: {
      summary: "Deletes a volume and what is in it.",
      path: "/VolumeDriver.Remove",
      framing: "json",
      request: named,
      response: nothing,
      subject: "Name",
      timeoutMs: minuteMs,
      source: proxy,
    },
    path: {
      summary: "Where the volume is; empty for one that is not mounted, where it has no path of its own.",
      path: "/VolumeDriver.Path",
      framing: "json",
      safe: true,
      request: named,
      response: mountpoint,
      subject: "Name",
      timeoutMs: minuteMs,
      source: proxy,
    },
    mount: {
      summary:
        "Makes the volume's files visible. `ID` is the holder's: Docker's differs with each mount, Podman sends one " +
        "for all containers.",
      path: "/VolumeDriver.Mount",
      framing: "json",
      request: held,
      response: mountpoint,
      subject: "Name",
      timeoutMs: 2 * minuteMs,
      source: proxy,
    },
    unmount: {
      summary: "The holder needs the files no more.",
      path: "/VolumeDriver.Unmount",
      framing: "json",
      request: held,
      response: nothing,
      subject: "Name",
      timeoutMs: minuteMs,
      source: proxy,
    },
    capabilities: {
      summary: "`Scope` is `local` (each host has volumes of its own) or `global` (all hosts see the same).",
      path: "/VolumeDriver.Capabilities",
      framing: "json",
      safe: true,
      optional: true,
      request: nothing,
      response: goStruct({ Capabilities: goStruct({ Scope: z.string().default("") }).default({ Scope: "" }) }),
      timeoutMs: minuteMs,
      source: proxy,
    },
  },
});
