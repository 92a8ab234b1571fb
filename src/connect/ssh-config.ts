import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import type { Ports, Ran } from "../ports.ts";
import { printable } from "../remote/printable.ts";
import { oncePerRun } from "../once-per-run.ts";
import { askAlike, type Question } from "./alike.ts";

/** Whom OpenSSH is asked about: a host of hosts.json, or a jump host. */
export type Asked = Pick<Host, "ssh" | "sshConfig">;

const PATIENCE_MS = 10_000;
export const NO_SSH_PROGRAM =
  "no `ssh` program here: ~/.ssh/config is not read, only hosts.json is";

/** What has been asked ahead, and nobody has wanted yet. */
const ahead = new WeakMap<Ports, Map<string, Promise<Ran | undefined>>>();

/**
 * Asks about all hosts of a run together, before each asks for its own answer: it costs half of the time, and next to
 * nothing where the configuration tells them not apart (`askAlike`).
 */
export function askAhead(hosts: readonly Asked[], ports: Ports): void {
  const questions = new Map<string, Question>();
  for (const asked of hosts) {
    const argv = argumentsFor(asked);
    questions.set(argv.join(" "), { host: asked.ssh.host, argv });
  }
  if (questions.size < 2 || ports.runInTurn === undefined) return;
  const answers = askAlike([...questions.values()], ports, ports.runInTurn);
  ahead.set(ports, new Map([...questions.keys()].map((key, i) => [key, answers[i]!])));
}

/**
 * What OpenSSH's configuration says about a host. The installed `ssh` is asked (`ssh -G`), once per run
 * and target: no second parser can know Include, Match and the system's file as well as it does.
 * `undefined` without that program. Errors: `SSH_UNSUPPORTED` when the configuration is broken.
 */
export function readSshConfig(asked: Asked, ports: Ports): Promise<SshConfig | undefined> {
  const argv = argumentsFor(asked);
  return oncePerRun(ports, `ssh ${argv.join(" ")}`, async () => {
    const answer = await askSsh(asked, argv, ports);
    return answer === undefined ? undefined : new SshConfig(answer);
  });
}

/**
 * A path of ssh_config(5) with every token replaced, by `ssh` itself: it prints `IdentityFile` as it was written, but
 * `ControlPath`, which knows the same tokens, as it is used (seen with 9.2).
 */
export function expandBySsh(path: string, asked: Asked, ports: Ports): Promise<string | undefined> {
  const argv = [...selectors(asked), "-o", `ControlPath="${path}"`, "--", asked.ssh.host];
  return oncePerRun(ports, `ssh ${argv.join(" ")}`, async () => {
    const answer = await askSsh(asked, argv, ports);
    return answer === undefined ? undefined : new SshConfig(answer).one("controlpath");
  });
}

/**
 * What `ssh -G` prints: one `keyword value` a line, keywords in lower case. Of its ninety lines we want a few: they are not
 * taken apart for each host of a run.
 */
export class SshConfig {
  readonly #text: string;

  constructor(text: string) {
    this.#text = `\n${text}\n`;
  }

  all(keyword: string): readonly string[] {
    const values: string[] = [];
    const start = `\n${keyword} `;
    for (let at = this.#text.indexOf(start); at !== -1; at = this.#text.indexOf(start, at + 1)) {
      const from = at + start.length;
      values.push(this.#text.slice(from, this.#text.indexOf("\n", from)).trim());
    }
    return values;
  }

  one(keyword: string): string | undefined {
    return this.all(keyword)[0];
  }

  /** A value that is set to something else than `none`. */
  some(keyword: string): string | undefined {
    const value = this.one(keyword);
    return value === "none" || value === "" ? undefined : value;
  }

  isYes(keyword: string): boolean {
    return ["yes", "true"].includes(this.one(keyword) ?? "");
  }

  isNo(keyword: string): boolean {
    return ["no", "false"].includes(this.one(keyword) ?? "");
  }
}

/** The arguments that choose the answer of `ssh` and stand before the host's name. */
export function selectors({ ssh, sshConfig }: Asked): string[] {
  return [
    "-TG",
    ...(sshConfig === undefined ? [] : ["-F", sshConfig]),
    ...(ssh.port === undefined ? [] : ["-p", String(ssh.port)]),
    ...(ssh.user === undefined ? [] : ["-l", ssh.user]),
  ];
}

function argumentsFor(asked: Asked): string[] {
  return [...selectors(asked), "--", asked.ssh.host];
}

async function askSsh(asked: Asked, argv: string[], ports: Ports): Promise<string | undefined> {
  const { host } = asked.ssh;
  const command = `\`ssh ${argv.join(" ")}\``;
  try {
    const { code, stdout, stderr } = await run(argv, ports);
    if (code === 0) return stdout;
    throw new SyncCredsError("SSH_UNSUPPORTED", `OpenSSH cannot resolve ${host}`, {
      why: printable(stderr) || `\`ssh -G\` ended with status ${code}`,
      next: [`Correct what ${command} complains about`],
    });
  } catch (error) {
    if (error instanceof SyncCredsError) throw error;
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return undefined;
    throw new SyncCredsError("SSH_UNSUPPORTED", `OpenSSH does not say how to reach ${host}`, {
      why:
        code === "ETIMEDOUT"
          ? `\`ssh -G\` did not answer within ${PATIENCE_MS / 1000} s`
          : printable(error instanceof Error ? error.message : String(error)),
      next: [
        `Run ${command} and see what it waits for: a \`Match exec\` in ~/.ssh/config may be slow`,
      ],
      cause: error,
    });
  }
}

async function run(argv: readonly string[], ports: Ports): Promise<Ran> {
  const asked = ahead.get(ports);
  const known = asked?.get(argv.join(" "));
  asked?.delete(argv.join(" "));
  // Without a detour where nothing was asked ahead: the program starts before this process is busy with other things.
  const ran = known === undefined ? undefined : await known;
  return ran ?? (await ports.run("ssh", argv, { timeoutMs: PATIENCE_MS }));
}
