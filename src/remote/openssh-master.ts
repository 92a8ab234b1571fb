import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import type { Ports } from "../ports.ts";

/**
 * One `ssh` that holds the connection, and the small shell that ends it when this program is gone, however it went: the pipe
 * breaks, `read` returns. `ssh` runs in a session of its own, so that Ctrl-C on the terminal does not cut a link that a
 * rollback needs, and so that it never talks to the terminal itself.
 */
const KEEPER = 'ssh "$@" </dev/null & pid=$!; exec 2>&-; read -r stop; kill "$pid"';

/** The running master. Its log is told line by line, without `ssh`'s carriage returns. */
export class OpensshMaster {
  /** Everything `ssh` has said so far. */
  readonly log: string[] = [];
  /** Resolves when `ssh` has ended. */
  readonly ended: Promise<void>;
  readonly #process: ChildProcess;
  readonly #lines = new EventEmitter();

  constructor(argv: readonly string[], env: Ports["env"]) {
    this.#process = spawn("/bin/sh", ["-c", KEEPER, "sh", ...argv], {
      stdio: ["pipe", "ignore", "pipe"],
      env: { ...env, LC_ALL: "C" },
      detached: true,
    });
    this.#process.stdin?.on("error", () => {}); // it ends with the shell
    const stderr = this.#process.stderr!;
    createInterface({ input: stderr }).on("line", (line) => {
      this.log.push(line.replace(/\r$/, ""));
      this.#lines.emit("line");
    });
    // A shell that cannot start says so with an event that nobody else waits for.
    this.#process.on("error", (error) => this.log.push(`ssh: ${error.message}`));
    this.ended = once(stderr, "close").then(() => this.stop());
  }

  /** The first line from number `from` on that matches; waits for it. Rejects when `ssh` ends without it. */
  async line(pattern: RegExp, from = 0): Promise<string> {
    for (let at = from; ; at++) {
      while (at >= this.log.length) {
        const more = once(this.#lines, "line").then(() => true);
        if (!(await Promise.race([more, this.ended.then(() => false)])) && at >= this.log.length) {
          throw new Error("ssh has ended");
        }
      }
      const line = this.log[at] ?? "";
      if (pattern.test(line)) return line;
    }
  }

  /** Ends `ssh`, and with it whatever goes through it. */
  stop(): void {
    this.#process.stdin?.destroy();
  }
}
