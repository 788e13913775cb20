import type { Server } from "node:net";
import type { Listening } from "../../transport/index.ts";
import { listenOnSystemd, type SystemdListen } from "./systemd.ts";
import { listenOnTcp, type TcpListen } from "./tcp-listener.ts";
import { listenOnTls, type TlsListen } from "./tls-listener.ts";
import { listenOnUnix, socketOfPlugin, type UnixListen } from "./unix-listener.ts";

/** Where a plugin listens. A text is its name: its socket is where engines look for a plugin of that name. */
export type Listen = string | UnixListen | SystemdListen | TcpListen | TlsListen;

/** Where `listen` is for TLS, `server` has to be a server of TLS. */
export function startListening(server: Server, listen: Listen): Promise<Listening> {
  if (typeof listen === "string") return listenOnUnix(server, socketOfPlugin(listen));
  if ("unix" in listen) return listenOnUnix(server, listen);
  if ("systemd" in listen) return listenOnSystemd(server, listen);
  return "tls" in listen ? listenOnTls(server, listen) : listenOnTcp(server, listen);
}
