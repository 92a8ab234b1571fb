import type { Writable } from "node:stream";

/**
 * Holds what is written to a socket until all that has come in is dealt with, so that the answers leave in one piece. ssh2
 * writes each packet in four, and on a socket without Nagle each of them would be a segment of its own.
 */
export function sendTogether(socket: Writable): void {
  const write = socket.write.bind(socket);
  let isHeld = false;
  socket.write = (piece: unknown) => {
    if (!isHeld) {
      isHeld = true;
      socket.cork();
      setImmediate(() => {
        isHeld = false;
        socket.uncork();
      });
    }
    return write(piece);
  };
}
