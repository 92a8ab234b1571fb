import type { Writable } from "node:stream";

/**
 * Holds what is written to a socket until whoever writes is done, so that it leaves in one piece. ssh2 writes each packet
 * in four, and on a socket without Nagle each of them would be a segment of its own.
 */
export function sendTogether(socket: Writable): void {
  const write = socket.write.bind(socket);
  let isHeld = false;
  socket.write = (piece: unknown) => {
    if (!isHeld) {
      isHeld = true;
      socket.cork();
      queueMicrotask(() => {
        isHeld = false;
        socket.uncork();
      });
    }
    return write(piece);
  };
}
