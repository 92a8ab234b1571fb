import { once } from "node:events";
import { finished } from "node:stream/promises";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { SyncCredsError } from "../errors.ts";
import { inTurn, oncePerRun } from "../once-per-run.ts";
import { redact, sanitize } from "../output/sanitize.ts";
import type { Ports } from "../ports.ts";
import type { Secret } from "../secret.ts";
import { PASSWORD_PROMPT, renderPasswordCommand } from "./command-line.ts";
import type { RemoteProcess, Session } from "./session.ts";

/** The next password to try on a host, none of which is among the `refused` ones. */
export type PasswordSource = (refused: readonly Secret[]) => Promise<Secret>;

/** What a sudo conversation is about. */
export interface Wanted {
  readonly session: Session;
  /** The account to act as. */
  readonly account: string;
  readonly script: Buffer;
  readonly nonce: string;
}

/**
 * Asks the person for the password of the login: once per run, however many hosts take it, and again for a host that
 * refuses it. `undefined` where nobody can be asked.
 */
export function askForPassword(
  ports: Ports,
  host: string,
  session: Session,
): PasswordSource | undefined {
  const { human } = ports;
  if (human === undefined) return undefined;
  const login = session.address.replace(/@.*$/, "");
  return async (refused) => {
    const memory = await oncePerRun(ports, "sudo password", () => Promise.resolve(noAnswers()));
    return await inTurn(ports, async () => {
      if (memory.failure !== undefined) throw memory.failure;
      const known = memory.ofHost.get(host) ?? memory.last;
      const isNew = known !== undefined && !refused.some((one) => one.equals(known));
      const count = refused.length + 1;
      const again = count === 1 ? "" : ` (try ${count} of ${MOST_TRIES}: it was not accepted)`;
      const question = `Password of ${login} for sudo on ${host}${again}`;
      const password = isNew
        ? known
        : await human.password(question).catch((error: unknown) => {
            memory.failure = error;
            throw error;
          });
      memory.last = password;
      memory.ofHost.set(host, password);
      return password;
    });
  };
}

/**
 * Starts the remote half through a sudo that may ask for a password. Resolves when the account's shell waits for the
 * script; until then nothing but a password is sent, and that only to a sudo that asks. Errors: `RUN_AS_REFUSED`.
 */
export async function startWithPassword(
  wanted: Wanted,
  nextPassword: PasswordSource,
): Promise<RemoteProcess> {
  const { session, account, script, nonce } = wanted;
  const command = renderPasswordCommand(script, account, nonce);
  const refused: Secret[] = [];
  let password: Secret | undefined;
  for (;;) {
    const process = await session.exec(command);
    const talk = listen(process, nonce);
    let heard = await talk.next();
    if (heard === "asks") {
      if (password === undefined) {
        password = await nextPassword(refused);
        // A sudo that was kept waiting for too long has given up; the next one gets its answer at once.
        if (talk.hasEnded()) continue;
      }
      process.stdin.write(`${password.reveal()}\n`);
      heard = await talk.next();
    }
    if (heard === "ready") return talk.handOver();
    if (heard === "ended") await process.exited; // a lost link is no refusal
    // Asked twice, it waits for another one, and would take whatever comes for it.
    hangUp(process);
    const said = await talk.lastWords();
    if (password === undefined || (heard === "ended" && !/incorrect password/.test(said))) {
      throw runAsRefused(account, said, password === undefined ? [] : [password]);
    }
    refused.push(password);
    password = undefined;
    if (refused.length === MOST_TRIES) throw neverAccepted(account);
  }
}

/** sudo's refusal, in its own words. `isAskable`: a person at a terminal could have given a password. */
export function runAsRefused(
  account: string,
  stderr: string,
  secrets: readonly Secret[],
  isAskable = false,
): SyncCredsError {
  return new SyncCredsError("RUN_AS_REFUSED", `sudo refused to act as ${account}`, {
    why: sanitize(redact(stderr, secrets), { maxLength: 400, maxLines: 4 })
      .replaceAll(PASSWORD_PROMPT, "")
      .trim(),
    next: [
      `Allow it on the host: \`ALL=(${account}) NOPASSWD: /bin/sh\` for this login in sudoers`,
      ...(isAskable && !/\btty\b|is not (?:allowed|in the sudoers)/.test(stderr)
        ? ["Or run this on a terminal, without `--no-input`: sudo's password is asked for there"]
        : []),
    ],
  });
}

/** Whether it was sudo that ended a command, by what came on stderr. */
export function isSudoRefusal(stderr: string): boolean {
  return /^sudo(?:-rs)?:|is not (?:allowed|in the sudoers)/m.test(stderr);
}

/** Waits for what may still come on stderr: it can be later than the exit status. */
export async function untilSilent(stderr: Readable): Promise<void> {
  const late = sleep(LAST_WORD_MS, undefined, { ref: false });
  await Promise.race([finished(stderr).catch(() => {}), late]);
}

const MOST_TRIES = 3;
const LAST_WORD_MS = 1000;
const STDERR_KEPT = 4096;

interface Memory {
  last: Secret | undefined;
  readonly ofHost: Map<string, Secret>;
  /** The person would not answer: then no other host asks. */
  failure: unknown;
}

function noAnswers(): Memory {
  return { last: undefined, ofHost: new Map(), failure: undefined };
}

type Heard = "asks" | "ready" | "ended";

/** Waits for sudo's question, for the shell's ready line, and for the end of both. */
function listen(process: RemoteProcess, nonce: string) {
  const heard: Heard[] = [];
  const news = new EventTarget();
  let said = "";
  let printed = "";
  let questions = 0;
  let isOver = false;
  const tell = (what: Heard) => {
    heard.push(what);
    news.dispatchEvent(new Event("news"));
  };
  const hear = (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-STDERR_KEPT);
    const asked = said.split(PASSWORD_PROMPT).length - 1;
    for (; questions < asked; questions++) tell("asks");
  };
  const read = (chunk: Buffer) => {
    printed = (printed + chunk.toString("latin1")).slice(-STDERR_KEPT);
    if (printed.includes(`\n${nonce} ready`)) tell("ready");
  };
  const end = () => {
    isOver = true;
    tell("ended");
  };
  process.stderr.on("data", hear);
  process.stdout.on("data", read);
  process.stdin.on("error", () => {}); // the end of the process says more
  process.exited.then(end, end);
  return {
    hasEnded: () => isOver,
    async next(): Promise<Heard> {
      while (heard.length === 0) await once(news, "news");
      return heard.shift() ?? "ended";
    },
    /** Nothing comes after the ready line until the script has been sent. */
    handOver(): RemoteProcess {
      process.stderr.off("data", hear);
      process.stdout.off("data", read);
      return process;
    },
    async lastWords(): Promise<string> {
      await untilSilent(process.stderr);
      return said;
    },
  };
}

function hangUp({ stdin, stdout }: RemoteProcess): void {
  stdin.destroy();
  stdout.destroy();
}

function neverAccepted(account: string): SyncCredsError {
  return new SyncCredsError("RUN_AS_REFUSED", `sudo refused to act as ${account}`, {
    why: `it accepted none of ${MOST_TRIES} passwords`,
    next: ["Check with `ssh -t HOST sudo -v` which password this login has on the host"],
  });
}
