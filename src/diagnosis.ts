/** What one line of a diagnosis is about: the four causes first. */
export type Topic =
  | "saved"
  | "form"
  | "expiry"
  | "methods"
  | "shared"
  | "drift"
  | "wrapper"
  | "restart"
  | "file"
  | "clock"
  | "changes"
  | "fallback"
  | "claude"
  | "connection";

/** `ok` and `note` call for nothing; `warn` and `bad` end the command with their exit status. */
export type Mark = "ok" | "note" | "warn" | "bad";

/** One thing that was tested, with what shows it and what cures it. Never holds a secret. */
export interface Check {
  readonly topic: Topic;
  readonly mark: Mark;
  /** One line. */
  readonly what: string;
  /** Paths, dates, fingerprints, lines of files: what shows it. */
  readonly evidence: readonly string[];
  /** Imperative lines, commands in backticks; what comes first stands first. */
  readonly cure: readonly string[];
  /** A stable code: of an error, or the class of the wrapper's answer. */
  readonly code?: string | undefined;
  /** The exit status that it asks for: 0 for `ok` and `note`. */
  readonly exit: number;
}

/** All that was tested at one place: this laptop, or a host. */
export interface Examined {
  readonly place: string;
  readonly checks: readonly Check[];
}

/** A step to take: where the trouble is, and what to do. */
export interface FirstStep {
  readonly place: string;
  readonly todo: string;
}

/** A check that is well. */
export function ok(topic: Topic, what: string, evidence: readonly string[] = []): Check {
  return { topic, mark: "ok", what, evidence, cure: [], exit: 0 };
}

/** A fact worth a line that calls for nothing. */
export function note(topic: Topic, what: string, evidence: readonly string[] = []): Check {
  return { topic, mark: "note", what, evidence, cure: [], exit: 0 };
}

/** What a check that found something says besides its line. */
export type Found = Pick<Check, "exit"> & Partial<Pick<Check, "evidence" | "cure" | "code">>;

/** Something that will go wrong, or might. */
export function warn(topic: Topic, what: string, found: Found): Check {
  return { topic, mark: "warn", what, evidence: [], cure: [], ...found };
}

/** Something that is wrong. */
export function bad(topic: Topic, what: string, found: Found): Check {
  return { topic, mark: "bad", what, evidence: [], cure: [], ...found };
}

/** The worst first: a host that needs a person, a bug, Ctrl-C; then what has to be done first. */
const WORST_FIRST = [11, 1, 130, 4, 3, 10, 13, 12, 14, 15];

/** The exit status of a whole diagnosis. */
export function exitStatusOfDiagnosis(places: readonly Examined[]): number {
  const found = new Set(places.flatMap(({ checks }) => checks.map(({ exit }) => exit)));
  return WORST_FIRST.find((status) => found.has(status)) ?? 0;
}

/** In this order: without the login nothing can be pushed; what would fail a push; what a push cures; the rest. */
const FIRST: readonly Topic[] = [
  "connection",
  "changes",
  "file",
  "restart",
  "clock",
  "methods",
  "shared",
  "saved",
  "form",
  "expiry",
  "wrapper",
  "drift",
  "claude",
  "fallback",
];

/**
 * What to do, in order, each once: the first cure of every finding; the login of this laptop comes before all hosts. Of
 * two pushes to a host one is left, the one that does more.
 */
export function firstSteps(places: readonly Examined[]): FirstStep[] {
  const steps = places.flatMap(({ place, checks }, at) =>
    checks.flatMap(({ mark, topic, cure: [todo] }) =>
      todo === undefined || mark === "ok" || mark === "note"
        ? []
        : [{ place, todo, push: pushIn(todo), rank: rankOf(topic, mark, at === 0) }],
    ),
  );
  const sorted = steps.sort((a, b) => a.rank - b.rank);
  const isLess = (push: string) => steps.some((other) => other.push?.startsWith(`${push} `));
  const seen = new Set<string>();
  return sorted.flatMap(({ place, todo, push }) => {
    const key = push ?? `${place}: ${todo}`;
    if (seen.has(key) || (push !== undefined && isLess(push))) return [];
    seen.add(key);
    return [{ place, todo }];
  });
}

function rankOf(topic: Topic, mark: Mark, isLaptop: boolean): number {
  return FIRST.indexOf(topic) + (isLaptop ? -20 : 0) + (mark === "warn" ? 40 : 0);
}

/** The push that a step consists of. */
function pushIn(todo: string): string | undefined {
  return /^[^`]*`(sync-creds push [^`]+)`/.exec(todo)?.[1];
}
