import { spawn } from "node:child_process";
import net from "node:net";
import type { Session } from "../../src/remote/session.ts";

export interface LocalOptions {
  readonly home: string;
  /** The shell that takes the place of `/bin/sh`, as words: `["busybox", "sh"]`. */
  readonly shell?: readonly string[];
  /** The login shell that sshd would use. */
  readonly loginShell?: string;
  readonly path?: string;
  /** What else the login's environment has. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A session without SSH: the command runs in a shell on this machine, in a home of its own. */
export function openLocalSession({
  home,
  shell,
  loginShell,
  path,
  environment = {},
}: LocalOptions): Session {
  const children = new Set<ReturnType<typeof spawn>>();
  return {
    address: "local",
    async exec(command) {
      const line = shell === undefined ? command : withShell(command, shell);
      const child = spawn(loginShell ?? "/bin/sh", ["-c", line], {
        cwd: home,
        env: { HOME: home, PATH: path ?? process.env.PATH, ...environment },
        stdio: "pipe",
      });
      children.add(child);
      const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
        child.on("close", (code, signal) => resolve({ code, signal })),
      );
      return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, exited };
    },
    async openStream(host, port) {
      const socket = net.connect(port, host);
      await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
      return socket;
    },
    lost: new Promise<never>(() => {}),
    close() {
      for (const child of children) child.kill("SIGKILL");
    },
  };
}

/** Puts a shell in the place of `/bin/sh`: as the one that is started, and as the name by which perl starts it. */
function withShell(command: string, shell: readonly string[]): string {
  return command.replace("/bin/sh", shell.join(" ")).replace(" /bin/sh ", ` ${shell[0]} `);
}
