import { $ZodObject } from "zod/v4/core";
import type { $ZodIssue, $ZodRawIssue } from "zod/v4/core";
import { findNearest } from "./did-you-mean.ts";

/** Something that is wrong with hosts.json. Never quotes a value: that could be a secret. */
export interface Problem {
  /** Keys and indices from the top. */
  readonly path: readonly (string | number)[];
  /** Completes the sentence that the path begins. */
  readonly what: string;
  /** Where it stands in the text, when the path alone does not say. */
  readonly offset?: number;
}

/** Keys that a later release will know, and a key that stands beside each. Here they would do nothing. */

const NOUNS: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "`true` or `false`",
  int: "a whole number",
  number: "a whole number",
  object: "an object",
  record: "an object",
  string: "a string",
};

/** What zod found, as problems: one for each unknown key, one for everything else. */
export function toProblems(issues: readonly $ZodIssue[]): Problem[] {
  return issues.flatMap(({ path, message, ...issue }): Problem[] => {
    const keys = path.map((key) => (typeof key === "number" ? key : String(key)));
    if (issue.code !== "unrecognized_keys") return [{ path: keys, what: message }];
    const lines = message.split("\n");
    return issue.keys.map((key, index) => ({
      path: [...keys, key],
      what: lines[index] ?? message,
    }));
  });
}

/** zod's error map for hosts.json. Unknown keys get one line each, in the order of `issue.keys`. */
export function describeIssue(issue: $ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined
        ? "is required"
        : `must be ${NOUNS[issue.expected] ?? issue.expected}`;
    case "unrecognized_keys": {
      const known = knownKeys(issue.inst);
      return issue.keys.map((key) => describeUnknownKey(key, known)).join("\n");
    }
    case "invalid_value":
      return mustBeOneOf(issue.values, issue.input);
    case "invalid_union": {
      const { options, discriminator, input } = issue;
      const all: unknown[] = Array.isArray(options) ? options : [];
      return mustBeOneOf(all, isRecord(input) ? input[String(discriminator)] : input);
    }
    case "invalid_key":
      return `is not a usable key: it ${issue.issues[0]?.message ?? "has the wrong form"}`;
    case "too_small":
      return issue.origin === "number" || issue.origin === "int"
        ? `must be at least ${issue.minimum}`
        : "must not be empty";
    case "too_big":
      return issue.origin === "number" || issue.origin === "int"
        ? `must be at most ${issue.maximum}`
        : `must have at most ${issue.maximum} ${issue.origin === "string" ? "characters" : "entries"}`;
    case "custom":
    case "invalid_element":
    case "invalid_format":
    case "not_multiple_of":
      return "has the wrong form";
  }
}

/** ` (did you mean …?)`, or nothing. */
export function renderGuess(word: string, candidates: Iterable<string>): string {
  const nearest = findNearest(word, candidates);
  return nearest === undefined ? "" : ` (did you mean \`${nearest}\`?)`;
}

function describeUnknownKey(key: string, known: readonly string[]): string {
  return `is not a known key${renderGuess(key, known)}`;
}

function mustBeOneOf(values: readonly unknown[], input: unknown): string {
  const all = values.map(String);
  const list = all.map((value) => `\`${value}\``).join(", ");
  if (input === undefined) return `is required: one of ${list}`;
  return `must be one of ${list}${typeof input === "string" ? renderGuess(input, all) : ""}`;
}

function knownKeys(schema: unknown): string[] {
  return schema instanceof $ZodObject ? Object.keys(schema._zod.def.shape) : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
