import { Duplex } from "node:stream";
import type { RemoteProcess } from "./session.ts";

type Pipes = Pick<RemoteProcess, "stdin" | "stdout">;

/**
 * A process's two pipes as one stream; destroying it closes both. The end of the process's input is no end of the stream:
 * what it has said before must still be read (`Duplex.from` gives up at the first of the two).
 */
export class ProcessStream extends Duplex {
  readonly #process: Pipes;
  #hasEnded = false;

  constructor(process: Pipes) {
    super();
    this.#process = process;
    process.stdout.on("data", (chunk: Buffer) => {
      if (!this.#hasEnded && !this.push(chunk)) process.stdout.pause();
    });
    const end = () => {
      if (!this.#hasEnded) this.push(null);
      this.#hasEnded = true;
    };
    process.stdout.on("end", end).on("close", end).on("error", end);
  }

  override _read(): void {
    this.#process.stdout.resume();
  }

  // An input that nobody reads any more is no failure of the stream either: `stdout` tells how it ends.
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#process.stdin.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.#process.stdin.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#hasEnded = true;
    this.#process.stdin.destroy();
    this.#process.stdout.destroy();
    done(error);
  }
}
