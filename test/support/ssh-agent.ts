import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A real ssh-agent of one test. */
export interface TestAgent extends AsyncDisposable {
  readonly socket: string;
  /** Loads a private key, with options of `ssh-add`. */
  add(key: string, ...options: string[]): void;
}

/** Starts an agent with its socket in `directory`. */
export async function openAgent(directory: string): Promise<TestAgent> {
  const socket = join(directory, "agent.sock");
  // Whoever would confirm a use of a key (`ssh-add -c`) says no.
  const env = {
    ...process.env,
    SSH_AUTH_SOCK: socket,
    SSH_ASKPASS: "/bin/false",
    DISPLAY: "none:0",
  };
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { env, stdio: "ignore" });
  while (!existsSync(socket) && agent.exitCode === null) await sleep(10);
  return {
    socket,
    add: (key, ...options) => {
      execFileSync("ssh-add", ["-q", ...options, key], { env, stdio: "ignore" });
    },
    [Symbol.asyncDispose]: async () => {
      const gone = new Promise((resolve) => agent.once("exit", resolve));
      if (agent.kill()) await gone;
    },
  };
}
