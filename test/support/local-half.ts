import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { nodePorts } from "../../src/node-ports.ts";
import { RemoteHalf } from "../../src/remote/remote-half.ts";
import { loadScript } from "../../src/remote/script.ts";
import { openLocalSession } from "./local-session.ts";
import { endProcesses, processesNaming } from "./processes.ts";
import { findProgram } from "./programs.ts";
import { freePort } from "./sshd.ts";

/** What hosts have as `/bin/sh`: a name, and the words that stand for it. */
export const SHELLS = (
  [
    ["dash", ["dash"]],
    ["bash", ["bash", "--posix"]],
    ["busybox", ["busybox", "sh"]],
    ["mksh", ["mksh"]],
    ["yash", ["yash"]],
  ] as const
).filter(([name]) => findProgram(name) !== undefined);

/** A login in which the remote half does without perl, as on a host that has none. */
export const WITHOUT_PERL = { PERL5OPT: "-w" };

/**
 * The shells alone, and beside perl those that are started by one word: a name, the words of the shell, and the environment.
 */
export const WAYS = [
  ...SHELLS.map(([name, shell]) => [`${name} alone`, shell, WITHOUT_PERL] as const),
  ...SHELLS.filter(([name]) => ["dash", "bash", "yash"].includes(name)).map(
    ([name, shell]) => [`${name} beside perl`, shell, {}] as const,
  ),
];

const WRAPPER = fileURLToPath(new URL("./wrapper.mjs", import.meta.url));

/** A home on this machine for remote halves that run without SSH, with a wrapper to restart. */
export interface LocalHome extends Disposable {
  readonly home: string;
  readonly configDir: string;
  readonly hostFile: string;
  readonly port: number;
  /** Restarts the wrapper as `restart.kind` `process` does. */
  readonly recipe: Readonly<Record<string, string | number>>;
  /** Starts a remote half under a shell that stands for `/bin/sh`. */
  open(
    shell?: readonly string[],
    path?: string,
    environment?: Readonly<Record<string, string>>,
  ): Promise<LocalHalf>;
  /** Asks the wrapper; its reply text. */
  chat(message: string): Promise<string>;
}

/** A conversation under way. */
export interface LocalHalf {
  readonly half: RemoteHalf;
  /** Names this change on the host. */
  readonly run: string;
  /** Ends it without a word, as a lost machine would. */
  kill(): void;
  /** Resolves when the script has ended. */
  readonly ended: Promise<unknown>;
}

/** Makes the home, below folders of the names given; disposing ends whatever still runs from it. */
export async function makeLocalHome(...names: readonly string[]): Promise<LocalHome> {
  const directory = mkdtempSync(join(tmpdir(), "sync-creds-home-"));
  const home = join(directory, "home", ...names);
  const wrapper = join(home, "wrapper");
  const program = relative(wrapper, join(directory, "wrapper.mjs"));
  mkdirSync(wrapper, { recursive: true });
  copyFileSync(WRAPPER, join(directory, "wrapper.mjs"));
  const port = await freePort();
  const configDir = join(home, ".claude");
  const script = await loadScript(nodePorts().files, { inspects: true });
  return {
    home,
    configDir,
    hostFile: join(configDir, ".credentials.json"),
    port,
    recipe: {
      kind: "process",
      directory: wrapper,
      // The last word names this home to whoever has to end what runs in it.
      command: `exec ${process.execPath} ${program} --port ${port} --of ${directory}`,
      log: join(wrapper, "wrapper.log"),
      port,
      start: 8,
      stability: 100,
    },
    async open(shell = ["dash"], path, environment = {}) {
      const search = path === undefined ? {} : { path };
      const session = openLocalSession({ home, shell, environment, ...search });
      const exec = session.exec.bind(session);
      let tell: (exited: Promise<unknown>) => void = () => {};
      const ended = new Promise((resolve) => (tell = resolve));
      session.exec = async (command) => {
        const process = await exec(command);
        tell(process.exited);
        return process;
      };
      const half = new RemoteHalf(session, script, randomBytes(16).toString("hex"));
      return { half, run: randomBytes(4).toString("hex"), kill: () => session.close(), ended };
    },
    async chat(message) {
      const reply = await fetch(`http://127.0.0.1:${port}/chat`, {
        method: "POST",
        body: JSON.stringify({ message }),
      });
      return ((await reply.json()) as { response: string }).response;
    },
    [Symbol.dispose]: () => {
      endProcesses(() => processesNaming(directory));
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Writes a credentials file as a host has it; its bytes. */
export function writeHostFile({ configDir, hostFile }: LocalHome, text: string): Buffer {
  mkdirSync(configDir, { recursive: true, mode: 0o700 });
  writeFileSync(hostFile, text, { mode: 0o600 });
  return Buffer.from(text);
}
