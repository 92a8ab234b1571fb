import type { Writable } from "node:stream";
import { redact } from "../output/sanitize.ts";
import type { Secret } from "../secret.ts";
import { renderCommand } from "./command-line.ts";
import { Answer, AnswerReader, renderRequest } from "./frames.ts";
import type { Fact, RemoteRequest, Verb } from "./frames.ts";
import { endedEarly, explainEnd, noAnswer, silent } from "./half-failures.ts";
import type { RemoteProcess, Session } from "./session.ts";
import { isSudoRefusal, runAsRefused, startWithPassword, untilSilent } from "./sudo.ts";
import type { PasswordSource } from "./sudo.ts";

export interface AskOptions {
  /** Longest wait for the end of the answer, in milliseconds. */
  readonly timeoutMs?: number;
  /** Told each fact as it arrives, before the answer is complete. */
  readonly onFact?: (fact: Fact) => void;
}

export interface HalfOptions {
  /** Account to act as, through sudo. */
  readonly runAs?: string | undefined;
  /** Where sudo's password comes from; without it a sudo that wants one is a refusal. */
  readonly nextPassword?: PasswordSource | undefined;
  /** Cut out of what the host's programs printed: a log may hold any of them. */
  readonly secrets?: readonly Secret[];
}

interface Waiting {
  readonly verb: Verb;
  readonly bytes: Buffer;
  readonly facts: Fact[];
  readonly onFact: ((fact: Fact) => void) | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

const PATIENCE_MS = 30_000;
/** The first of what the host prints beside its answers. */
const begun = (text: string, more: Buffer): string => (text + more.toString("utf8")).slice(0, 4096);

/**
 * The conversation with the script on the host: one exec channel, requests answered in order. Requests may be sent
 * before earlier ones are answered; that is how steps share a round trip. Every error is a `SyncCredsError`.
 */
export class RemoteHalf {
  readonly #session: Session;
  readonly #script: Buffer;
  #isPlain = false;
  readonly #nonce: string;
  readonly #reader: AnswerReader;
  readonly #runAs: string | undefined;
  readonly #secrets: Secret[];
  readonly #waiting: Waiting[] = [];
  #nextPassword: PasswordSource | undefined;
  #stdin: Promise<Writable>;
  /** A person is asked meanwhile, or may be: no answer is late. */
  #isUnlocking = false;
  #stderr = "";
  #stdout = ""; // before the first answer
  #hasAnswered = false;
  #failure: unknown;

  /**
   * Starts the script. It is sent right behind the command, and what is asked behind it; nothing secret may be asked before
   * the first answer has come: until then the other side could be anything that echoes its input.
   */
  constructor(
    session: Session,
    script: Buffer,
    nonce: string,
    { runAs, nextPassword, secrets = [] }: HalfOptions = {},
  ) {
    this.#session = session;
    this.#script = script;
    this.#nonce = nonce;
    this.#reader = new AnswerReader(nonce);
    this.#runAs = runAs;
    this.#nextPassword = nextPassword;
    this.#secrets = [...secrets];
    this.#stdin = session
      .exec(renderCommand(script, { runAs, withToolbox: true }))
      .then((process) => this.#begin(process));
    this.#stdin.catch((error: unknown) => this.#fail(error));
  }

  /** Sends a request; resolves with its whole answer. A `fail=` in the answer is for the caller to judge. */
  ask(
    request: RemoteRequest,
    { timeoutMs = PATIENCE_MS, onFact }: AskOptions = {},
  ): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const bytes = renderRequest(request);
    const answer = new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => {
        if (this.#isUnlocking) timer.refresh();
        else this.#fail(this.#hasAnswered ? noAnswer(request.verb, timeoutMs) : silent(timeoutMs));
      }, timeoutMs);
      this.#waiting.push({
        verb: request.verb,
        bytes,
        facts: [],
        onFact,
        resolve: (value) => (clearTimeout(timer), resolve(value)),
        reject: (error) => (clearTimeout(timer), reject(error)),
      });
    });
    this.#stdin.then((stdin) => stdin.write(bytes)).catch(() => {}); // told by `#fail`
    return answer;
  }

  /** Says that nothing more will be asked; the script then ends. */
  end(): void {
    this.#stdin.then((stdin) => stdin.end()).catch(() => {}); // it has ended already
  }

  #begin(process: RemoteProcess): Writable {
    this.#listen(process);
    process.stdin.write(this.#script);
    process.stdin.write(`${this.#nonce}\n`);
    return process.stdin;
  }

  #listen({ stdin, stdout, stderr, exited }: RemoteProcess): void {
    stdout.on("data", (chunk: Buffer) => this.#receive(chunk));
    stderr.on("data", (chunk: Buffer) => (this.#stderr = begun(this.#stderr, chunk)));
    stdin.on("error", () => {}); // the end of the process says more
    exited
      .then(async ({ code }) => {
        if (this.#hasAnswered) throw endedEarly(code);
        await untilSilent(stderr);
        if (this.#runAs !== undefined && isSudoRefusal(this.#stderr)) {
          return await this.#unlock(this.#runAs);
        }
        if (this.#isPlain) throw explainEnd(code, this.#stderr || this.#stdout);
        return await this.#startPlain();
      })
      .catch((error: unknown) => this.#fail(error));
  }

  /** It has ended without a word. That can be the host's perl, which does not run: then it has to do without. */
  async #startPlain(): Promise<void> {
    this.#isPlain = true;
    this.#stderr = "";
    this.#goOn(await this.#session.exec(renderCommand(this.#script, { runAs: this.#runAs })));
  }

  /** sudo has refused without a question. Lets it ask; nothing secret is in what is sent anew. */
  async #unlock(account: string): Promise<void> {
    const nextPassword = this.#nextPassword;
    if (nextPassword === undefined) {
      throw runAsRefused(account, this.#stderr, this.#secrets, true);
    }
    this.#nextPassword = undefined;
    this.#stderr = "";
    this.#isUnlocking = true;
    const process = await startWithPassword(
      { session: this.#session, account, script: this.#script, nonce: this.#nonce },
      async (refused) => {
        const password = await nextPassword(refused);
        this.#secrets.push(password);
        return password;
      },
    );
    this.#isUnlocking = false;
    this.#goOn(process);
  }

  /** With another process, which is asked all that has had no answer. */
  #goOn(process: RemoteProcess): void {
    const stdin = this.#begin(process);
    for (const { bytes } of this.#waiting) stdin.write(bytes);
    this.#stdin = Promise.resolve(stdin);
  }

  #receive(chunk: Buffer): void {
    if (!this.#hasAnswered) this.#stdout = begun(this.#stdout, chunk);
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
