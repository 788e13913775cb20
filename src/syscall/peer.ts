import { bindSystemCall, check } from "./libc.ts";

const getsockoptCall = bindSystemCall("getsockopt", "int", "int", "int", "void *", "void *");

/** Source: `asm-generic/socket.h`, Linux v6.1. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;

/** `struct ucred`: pid, uid and gid. */
const credentialsBytes = 12;

/**
 * The process at the other end of a connected unix socket: who connected, or, asked by who did, who listens.
 * `undefined` where the kernel does not tell: on other sockets, and of processes that are not seen from this PID
 * namespace. Source: unix(7), `SO_PEERCRED`.
 */
export function peerProcess(descriptor: number): number | undefined {
  const credentials = Buffer.alloc(credentialsBytes);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(credentialsBytes);
  check(getsockoptCall(descriptor, SOL_SOCKET, SO_PEERCRED, credentials, length), "getsockopt SO_PEERCRED");
  const pid = credentials.readInt32LE(0);
  return pid > 0 ? pid : undefined;
}
