import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { SyncCredsError } from "../errors.ts";
import { redact, sanitize } from "../output/sanitize.ts";
import type { Secret } from "../secret.ts";
import { Answer, AnswerReader, renderCommand, renderRequest } from "./frames.ts";
import type { Fact, RemoteRequest, Verb } from "./frames.ts";
import type { RemoteProcess, Session } from "./session.ts";

export interface AskOptions {
  /** Longest wait for the end of the answer, in milliseconds. */
  readonly timeoutMs?: number;
  /** Told each fact as it arrives, before the answer is complete. */
  readonly onFact?: (fact: Fact) => void;
}

export interface HalfOptions {
  /** Account to act as, through sudo. */
  readonly runAs?: string | undefined;
  /** Cut out of what the host's programs printed: a log may hold any of them. */
  readonly secrets?: readonly Secret[];
}

interface Waiting {
  readonly verb: Verb;
  readonly facts: Fact[];
  readonly onFact: ((fact: Fact) => void) | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

const STDERR_KEPT = 4096;
const PATIENCE_MS = 30_000;
const LAST_WORD_MS = 1000;

/**
 * The conversation with the script on the host: one exec channel, requests answered in order. Requests may be sent
 * before earlier ones are answered; that is how steps share a round trip. Every error is a `SyncCredsError`.
 */
export class RemoteHalf {
  readonly #stdin: Promise<Writable>;
  readonly #reader: AnswerReader;
  readonly #runAs: string | undefined;
  readonly #secrets: readonly Secret[];
  readonly #waiting: Waiting[] = [];
  #stderr = "";
  #hasAnswered = false;
  #failure: unknown;

  /**
   * Starts the script. What is asked is sent as soon as the host has started it; nothing secret may be asked before the
   * first answer has come: until then the other side could be anything that echoes its input.
   */
  constructor(
    session: Session,
    script: string,
    nonce: string,
    { runAs, secrets = [] }: HalfOptions = {},
  ) {
    this.#reader = new AnswerReader(nonce);
    this.#runAs = runAs;
    this.#secrets = secrets;
    this.#stdin = session.exec(renderCommand(script, runAs)).then((process) => {
      this.#listen(process);
      process.stdin.write(`${script}${nonce}\n`);
      return process.stdin;
    });
    this.#stdin.catch((error: unknown) => this.#fail(error));
  }

  /** Sends a request; resolves with its whole answer. A `fail=` in the answer is for the caller to judge. */
  ask(
    request: RemoteRequest,
    { timeoutMs = PATIENCE_MS, onFact }: AskOptions = {},
  ): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const answer = new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(noAnswer(request.verb, timeoutMs)), timeoutMs);
      this.#waiting.push({
        verb: request.verb,
        facts: [],
        onFact,
        resolve: (value) => (clearTimeout(timer), resolve(value)),
        reject: (error) => (clearTimeout(timer), reject(error)),
      });
    });
    const bytes = renderRequest(request);
    this.#stdin.then((stdin) => stdin.write(bytes)).catch(() => {}); // told by `#fail`
    return answer;
  }

  /** Says that nothing more will be asked; the script then ends. */
  end(): void {
    this.#stdin.then((stdin) => stdin.end()).catch(() => {}); // it has ended already
  }

  #listen({ stdin, stdout, stderr, exited }: RemoteProcess): void {
    stdout.on("data", (chunk: Buffer) => this.#receive(chunk));
    stderr.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString("utf8")).slice(0, STDERR_KEPT);
    });
    stdin.on("error", () => {}); // the end of the process says more
    exited
      .then(async ({ code }) => {
        // A last word on stderr may come after the exit status.
        const late = sleep(LAST_WORD_MS, undefined, { ref: false });
        await Promise.race([finished(stderr).catch(() => {}), late]);
        throw this.#hasAnswered ? endedEarly(code) : explainEnd(code, this.#stderr, this.#runAs);
      })
      .catch((error: unknown) => this.#fail(error));
  }

  #receive(chunk: Buffer): void {
    try {
      for (const fact of this.#reader.read(chunk)) this.#take(fact);
    } catch (error) {
      this.#fail(error);
    }
  }

  #take(fact: Fact): void {
    this.#hasAnswered = true;
    const current = this.#waiting[0];
    if (current === undefined) return;
    if (fact.key === "end" && fact.value === current.verb) {
      this.#waiting.shift();
      current.resolve(new Answer(current.facts));
      return;
    }
    const isPrinted = fact.key === "detail" || fact.key === "log";
    current.facts.push(isPrinted ? { ...fact, value: redact(fact.value, this.#secrets) } : fact);
    current.onFact?.(fact);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failure);
  }
}

function noAnswer(verb: Verb, timeoutMs: number): SyncCredsError {
  return new SyncCredsError("CONNECTION_LOST", `no answer within ${timeoutMs / 1000} s`, {
    why: `the host was asked to ${verb} and fell silent`,
    next: ["Run the command again: it finds and recovers what was left"],
  });
}

/** The script had worked and is gone: what it has done since nobody knows. As with a lost link, ask anew. */
function endedEarly(code: number | null): SyncCredsError {
  return new SyncCredsError("CONNECTION_LOST", "our shell script on the host ended early", {
    why: code === null ? "it was killed" : `it ended with status ${code}`,
    next: ["Run the command again: it finds and recovers what was left"],
  });
}

function explainEnd(
  code: number | null,
  stderr: string,
  runAs: string | undefined,
): SyncCredsError {
  const said = sanitize(stderr, { maxLength: 400, maxLines: 4 }).trim();
  if (runAs !== undefined && /^sudo:|is not (allowed|in the sudoers)/m.test(stderr)) {
    return new SyncCredsError("RUN_AS_REFUSED", `sudo refused to act as ${runAs}`, {
      why: said,
      next: [
        `Allow it on the host: \`ALL=(${runAs}) NOPASSWD: /bin/sh\` for this login in sudoers`,
      ],
    });
  }
  return new SyncCredsError("REMOTE_SHELL", "the host did not run our shell script", {
    why: `its login shell ended with status ${code ?? "unknown"}${said === "" ? " and said nothing" : `: ${said}`}`,
    next: [
      "Check with `ssh HOST /bin/sh -c true`: this account may have no shell, or a forced command",
    ],
  });
}
