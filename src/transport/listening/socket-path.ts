/** `sun_path` has 108 bytes with the final NUL. Source: unix(7). */
const maxSocketPathBytes = 107;

/**
 * By how many bytes a socket's path is too long for the kernel, 0 where it fits. Node would cut a longer one off in
 * silence, and dial or make another socket. Source: libuv v1.46 `uv_pipe_connect`, `uv_pipe_bind`.
 */
export function socketPathExcess(path: string): number {
  return Math.max(0, Buffer.byteLength(path) - maxSocketPathBytes);
}
