/** Env files as systemd, docker compose, dotenv and shells read them: what they set, and edits that touch nothing else. */
import { classifyValue } from "../remote/shadow-fact.ts";
import type { FoundVariable } from "../remote/shadow-fact.ts";
import { lineAt } from "./line-at.ts";

/**
 * `nul`: the text is binary. `unterminated`: a quote or a continued line is still open where the text ends. `unclear`: one
 * of the names is assigned in a way that readers of such files take differently, or beside something else on its line.
 */
export type EnvFlaw = "nul" | "unterminated" | "unclear";

/** What an env file says about some names, or why it must be left alone. */
export type EnvReading =
  | { readonly kind: "variables"; readonly variables: readonly FoundVariable[] }
  | { readonly kind: EnvFlaw; readonly line: number };

/** The assignments of `names`, in the order of the file. Total. */
export function findVariables(text: string, names: readonly string[]): EnvReading {
  const read = assignmentsOf(text, names);
  if (read.kind !== "assignments") return read;
  const last = new Map<string, FoundVariable>();
  for (const { name, line, raw } of read.assignments) {
    last.delete(name);
    last.set(name, { name, line, value: classifyValue(unquote(raw)) });
  }
  return { kind: "variables", variables: [...last.values()] };
}

/**
 * The text without the lines that assign `names`; a comment that mentions one stays. Throws on a text in which
 * `findVariables` sees a flaw.
 */
export function removeVariables(text: string, names: readonly string[]): string {
  return cut(text, soundAssignments(text, names));
}

/**
 * The text with one assignment of `name`: the last one gets the value and loses a comment behind it, earlier ones go, and
 * without any a line is added (exported, where all others are). A value that would need quotes throws, as does a text in
 * which `findVariables` sees a flaw.
 */
export function setVariable(text: string, name: string, value: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new Error("no name of a variable");
  // Not shown: it may be a secret. Shells read such files too, so nothing that they act upon.
  if (!/^[\w.,:/@%+=-]+$/.test(value)) throw new Error("not a value for an env file");
  const all = soundAssignments(text, [name]);
  const last = all.at(-1);
  if (last === undefined) return append(text, name, value);
  const tail = text.slice(last.valueStart + last.raw.length, last.end);
  const rest = /^\s*;/.test(tail) ? tail : (/\r?\n$/.exec(tail)?.[0] ?? "");
  const set = `${text.slice(0, last.valueStart).trimEnd()}${value}${rest}${text.slice(last.end)}`;
  return cut(set, all.slice(0, -1));
}

interface Statement {
  /** Where its first line starts, and the offset behind its last one. */
  readonly start: number;
  readonly end: number;
  readonly line: number;
  /** Of an assignment. */
  readonly name?: string;
  readonly valueStart: number;
}

interface Assignment extends Statement {
  readonly name: string;
  /** The value as it is spelt, quotes included. */
  readonly raw: string;
}

type Assignments =
  | { readonly kind: "assignments"; readonly assignments: readonly Assignment[] }
  | { readonly kind: EnvFlaw; readonly line: number };

const HEAD = /[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*/y;
const COMMENT = /[ \t]*[#;]/y;
const QUOTED = /"[^"\\]*(?:\\[^][^"\\]*)*"|'[^']*'|`[^`]*`/y;
// All of a line, and of the next ones as long as a backslash stands before the end.
const REST = /[^\\\r\n]*(?:(?:\\\r?\n|\\[^\r\n]|\r(?!\n))[^\\\r\n]*)*(?:\r?\n|$)/y;
// A line that might be added behind it would be taken for a part of it.
const OPEN_END = /(?<!\\)(?:\\\\)*\\(?:\r?\n)?$/;
const VALUE = /^(?:"[^"\\]*(?:\\[^][^"\\]*)*"|'[^']*'|`[^`]*`|\$\(.*\)|[^\s;&|"'`]*)/;
const TAIL = /^(?:[ \t]*;[ \t]*export[ \t]+\w+[ \t]*;?|[ \t]+#[^\n]*)?\s*$/;

function assignmentsOf(text: string, names: readonly string[]): Assignments {
  const nul = text.indexOf("\0");
  if (nul >= 0) return { kind: "nul", line: lineAt(text, nul) };
  if (OPEN_END.test(text))
    return { kind: "unterminated", line: lineAt(text.trimEnd(), text.length) };
  const read = statementsOf(text);
  if (read.kind !== "statements") return read;
  const assignments: Assignment[] = [];
  for (const statement of read.statements) {
    const { start, end, line, name, valueStart } = statement;
    const isComment = startsAt(COMMENT, text, start) !== null;
    const isWanted = name !== undefined && names.includes(name);
    const value = text.slice(valueStart, end);
    const raw = VALUE.exec(value)?.[0] ?? "";
    if (isWanted && !TAIL.test(value.slice(raw.length))) return { kind: "unclear", line };
    // To some readers a comment can go on in the next line, to others not.
    const rest = text.slice(start, end).replace(isComment ? /^[^\n]*/ : "", "");
    if (!isWanted && mentions(rest, names)) return { kind: "unclear", line };
    if (isWanted && mentions(value, names)) return { kind: "unclear", line };
    if (isWanted) assignments.push({ ...statement, name, raw });
  }
  return { kind: "assignments", assignments };
}

function statementsOf(text: string) {
  const statements: Statement[] = [];
  let line = 1;
  for (let start = 0; start < text.length;) {
    const name = startsAt(COMMENT, text, start) ? undefined : startsAt(HEAD, text, start)?.[1];
    const valueStart = name === undefined ? start : HEAD.lastIndex;
    const end = name === undefined ? endOf(REST, text, start) : endOfValue(text, valueStart);
    if (end === undefined) return { kind: "unterminated", line } as const;
    statements.push({ start, end, line, ...(name === undefined ? {} : { name }), valueStart });
    line += text.slice(start, end).split("\n").length - 1;
    start = end;
  }
  return { kind: "statements", statements } as const;
}

/** The offset behind the last line of a value; `undefined` when a quote never closes. */
function endOfValue(text: string, start: number): number | undefined {
  let at = start;
  while (`"'\``.includes(text.charAt(at)) && at < text.length) {
    const end = endOf(QUOTED, text, at);
    if (end === undefined) return undefined;
    at = end;
  }
  return endOf(REST, text, at);
}

/** Whether one of the names is assigned somewhere in there, or seems to be. */
function mentions(text: string, names: readonly string[]): boolean {
  return names.some((name) => new RegExp(`(?<![^\\s;&|])${name}[ \\t]*[=:]`).test(text));
}

function soundAssignments(text: string, names: readonly string[]): readonly Assignment[] {
  const read = assignmentsOf(text, names);
  if (read.kind !== "assignments") throw new Error(`the env file is ${read.kind}`);
  return read.assignments;
}

function cut(text: string, gone: readonly Statement[]): string {
  return gone.reduceRight((left, { start, end }) => left.slice(0, start) + left.slice(end), text);
}

function append(text: string, name: string, value: string): string {
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  const gap = text === "" || text.endsWith("\n") ? "" : lineEnd;
  // A shell that reads the file with `.` hands on only what is exported.
  const isExporting = /^[ \t]*export[ \t]/m.test(text) && !/^[ \t]*[A-Za-z_]\w*[ \t]*=/m.test(text);
  return `${text}${gap}${isExporting ? "export " : ""}${name}=${value}${lineEnd}`;
}

function unquote(raw: string): string {
  return /^(["'`])([^]*)\1$/.exec(raw)?.[2] ?? raw;
}

function startsAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  return startsAt(pattern, text, at) === null ? undefined : pattern.lastIndex;
}
