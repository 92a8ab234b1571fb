import { SyncCredsError } from "../errors.ts";

/** One request to the remote half: a verb, single-line values, and at most one file's bytes. */
export interface RemoteRequest {
  readonly verb: Verb;
  readonly fields?: Readonly<Record<string, string | number>>;
  readonly payload?: Buffer;
}
export type Verb =
  | "probe"
  | "read"
  | "inspect"
  | "backups"
  | "prune"
  | "unlock"
  | "recover"
  | "begin"
  | "file"
  | "install"
  | "restart"
  | "alive"
  | "commit"
  | "rollback";

/** One thing the remote half said: `key=value`. */
export interface Fact {
  readonly key: string;
  readonly value: string;
}

/** The facts of one answer, in the order they came; a key may come several times. */
export class Answer {
  readonly #facts: readonly Fact[];

  constructor(facts: readonly Fact[]) {
    this.#facts = facts;
  }

  /** The first value of a key. */
  get(key: string): string | undefined {
    return this.#facts.find((fact) => fact.key === key)?.value;
  }

  all(key: string): string[] {
    return this.#facts.filter((fact) => fact.key === key).map((fact) => fact.value);
  }

  /** All of them, for keys that belong together by their order. */
  get facts(): readonly Fact[] {
    return this.#facts;
  }
}

// A host's file is at most 256 KiB, which is three times that as `od` prints it; nothing honest is longer.
const LONGEST_LINE = 1024 * 1024;
const LONGEST_ANSWERS = 8 * LONGEST_LINE;

/** The script as it is sent: without comments, indentation and empty lines. */
export function renderScript(source: string): string {
  return source
    .split("\n")
    .map((line) => line.trimStart())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .join("\n");
}

/** A request as bytes. Values are single lines: a line break in one is a bug of ours, found here. */
export function renderRequest({ verb, fields = {}, payload }: RemoteRequest): Buffer {
  const lines = Object.entries(fields).map(([key, value]) => {
    const text = String(value);
    if (/[\n\r\0]/.test(text)) throw new Error(`the value of ${key} has a line break`);
    return `${key}=${text}\n`;
  });
  const head = Buffer.from(`${verb}\n${lines.join("")}.\n`);
  return payload === undefined ? head : Buffer.concat([head, payload]);
}

/**
 * Finds our answers in whatever a host prints. Only lines that start with this run's nonce count: greetings, echoes
 * and the noise of start-up files fall away. Bytes are put together before they are decoded. Behind `bytes=` comes a
 * file as `od` prints it, behind `list=` and `df=` what those programs print: it counts up to the next line of ours.
 * Errors: `PROTOCOL` when a host sends more than any honest one would, `REMOTE_SHELL` when it sends our own input.
 */
export class AnswerReader {
  readonly #prefix: string;
  #pending: Buffer[] = [];
  #pendingLength = 0;
  #total = 0;
  #block: Block | undefined;

  constructor(nonce: string) {
    this.#prefix = `${nonce} `;
  }

  /** Takes bytes as they come; returns the facts that are complete by now. */
  read(chunk: Buffer): Fact[] {
    this.#total += chunk.length;
    if (this.#total > LONGEST_ANSWERS) throw tooMuch();
    const facts: Fact[] = [];
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      const tail = chunk.subarray(from, end);
      // Most lines come whole; copying each of them would make a flood costly.
      const line = this.#pendingLength === 0 ? tail : Buffer.concat([...this.#pending, tail]);
      this.#pending = [];
      this.#pendingLength = 0;
      from = end + 1;
      facts.push(...this.#parse(line.toString("utf8")));
    }
    this.#pending.push(chunk.subarray(from));
    this.#pendingLength += chunk.length - from;
    if (this.#pendingLength > LONGEST_LINE) throw tooMuch();
    return facts;
  }

  #parse(line: string): Fact[] {
    if (!line.startsWith(this.#prefix)) {
      // Only our own input has the nonce at the end of a line: whoever sends it back has not run it.
      if (line.trimEnd().endsWith(this.#prefix.trimEnd())) throw echoed();
      this.#block?.lines.push(line.replace(/\r$/, ""));
      return [];
    }
    const facts = this.#block === undefined ? [] : [toFact(this.#block)];
    const text = line.slice(this.#prefix.length).replace(/\r$/, "");
    const key = /^(bytes|list|df)=$/.exec(text)?.[1];
    this.#block = key === undefined ? undefined : { key, lines: [] };
    if (key !== undefined) return facts;
    const equals = text.indexOf("=");
    const fact =
      equals === -1
        ? { key: text, value: "" }
        : { key: text.slice(0, equals), value: text.slice(equals + 1) };
    return [...facts, fact];
  }
}

/** What a program has printed for us, line by line, noise among it. */
interface Block {
  readonly key: string;
  readonly lines: string[];
}

function toFact({ key, lines }: Block): Fact {
  if (key !== "bytes") return { key, value: lines.join("\n") };
  const dump = lines.filter((line) => /^[ 0-9a-f]+$/.test(line));
  return { key, value: dump.join("").replaceAll(" ", "") };
}

function echoed(): SyncCredsError {
  return new SyncCredsError(
    "REMOTE_SHELL",
    "the host sends our script back instead of running it",
    {
      why: "a forced command reads what this account sends (ForceCommand in sshd_config, or command= in authorized_keys); nothing secret was sent to it",
      next: ["Use an account, or a key, without a forced command"],
    },
  );
}

function tooMuch(): SyncCredsError {
  return new SyncCredsError("PROTOCOL", "the host sent far more than an answer", {
    why: "something in its start-up files or a forced command floods the connection",
    next: ["Run `ssh HOST true` and see what it prints"],
  });
}
