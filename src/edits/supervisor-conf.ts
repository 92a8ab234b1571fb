/** `environment=` in supervisord's ini files: what it sets, and removals that touch nothing else. */
import { classifyValue } from "../remote/shadow-fact.ts";
import type { FoundVariable } from "../remote/shadow-fact.ts";
import { lineAt } from "./line-at.ts";

/**
 * `no-section`: the file does not have it. `unclear`: supervisord itself would not understand the file or `environment`,
 * or that stands there twice.
 */
export type ConfFlaw = "nul" | "no-section" | "unclear";

/** What a section says about some names, or why the file must be left alone. */
export type ConfReading =
  | { readonly kind: "variables"; readonly variables: readonly FoundVariable[] }
  | { readonly kind: ConfFlaw };

/** The assignments of `names` in a section, such as `program:wrapper`, in the order of the file. Total. */
export function findEnvironment(
  text: string,
  section: string,
  names: readonly string[],
): ConfReading {
  const read = readEnvironment(text, section);
  if (read.kind !== "entries") return read;
  const last = new Map<string, FoundVariable>();
  for (const { name, start, raw } of read.entries) {
    if (!names.includes(name)) continue;
    const value = classifyValue(raw.replace(/^['"]+|['"]+$/g, ""));
    last.delete(name);
    last.set(name, { name, line: lineAt(text, start), value });
  }
  return { kind: "variables", variables: [...last.values()] };
}

/**
 * The text without the assignments of `names` in a section. A line that held nothing else goes with them; `environment=`
 * itself stays, be it empty. Throws on a text in which `findEnvironment` sees a flaw.
 */
export function removeFromEnvironment(
  text: string,
  section: string,
  names: readonly string[],
): string {
  let left = text;
  for (;;) {
    const read = readEnvironment(left, section);
    if (read.kind !== "entries") throw new Error(`the section's environment is ${read.kind}`);
    const at = read.entries.findIndex(({ name }) => names.includes(name));
    const entry = read.entries[at];
    if (entry === undefined) return left;
    left = removeEntry(left, entry, read.entries[at - 1]);
  }
}

interface Entry {
  readonly name: string;
  readonly raw: string;
  readonly start: number;
  readonly end: number;
  /** Offset of the comma behind it; the last one may have none. */
  readonly comma: number | undefined;
}

type Entries =
  | { readonly kind: "entries"; readonly entries: readonly Entry[] }
  | { readonly kind: ConfFlaw };

/** A place in the text. */
interface Region {
  readonly start: number;
  readonly end: number;
}

/** The values of `environment` in a section that may be opened several times. */
function readEnvironment(text: string, section: string): Entries {
  if (text.includes("\0")) return { kind: "nul" };
  const plain = withoutComments(text);
  const regions = regionsOf(plain, section);
  if (typeof regions === "string") return { kind: regions };
  const [region, second] = regions;
  if (second !== undefined) return { kind: "unclear" };
  return region === undefined ? { kind: "entries", entries: [] } : entriesOf(plain, region);
}

/** Comments become blanks, so that every offset stays. Inside quotes too: so does supervisord's parser (4.2 with Python 3.11). */
function withoutComments(text: string): string {
  return text.replace(/(?<=^|\s)[;#][^\n]*/gm, (comment) => comment.replaceAll(/[^\r]/g, " "));
}

const HEADER = /^[ \t]*\[([^\]]+)\]/;
const OPTION = /^[ \t]*([^\s:=][^:=]*?)[ \t]*[:=]/;

/** Where the values of `environment` stand: up to the last line that is indented deeper than the option itself. */
function regionsOf(plain: string, section: string): Region[] | ConfFlaw {
  const regions: Region[] = [];
  let current: string | undefined;
  let isFound = false;
  let isOpen = false;
  let indent = Number.POSITIVE_INFINITY;
  let start = 0;
  for (const line of plain.split(/(?<=\n)/)) {
    const end = start + line.trimEnd().length;
    const own = line.search(/\S/);
    const header = HEADER.exec(line);
    const option = OPTION.exec(line);
    if (own > indent) {
      const last = isOpen ? regions.pop() : undefined;
      if (last !== undefined) regions.push({ start: last.start, end });
    } else if (header !== null) {
      current = header[1];
      isFound ||= current === section;
      indent = Number.POSITIVE_INFINITY;
    } else if (own >= 0) {
      if (current === undefined || option === null) return "unclear";
      indent = own;
      isOpen = current === section && option[1]?.toLowerCase() === "environment";
      if (isOpen) regions.push({ start: start + option[0].length, end });
    }
    start += line.length;
  }
  return isFound ? regions : "no-section";
}

// As supervisord's lexer sees it (`dict_of_key_value_pairs`), before `%(…)s` is expanded.
const ENTRY =
  /\s*(?<name>[\w/.+():%-]+)\s*=\s*(?<raw>"[^"]*"|'[^']*'|[\w/.+():%-]+)\s*(?<comma>,?)/y;

function entriesOf(plain: string, { start, end }: Region): Entries {
  const value = plain.slice(0, end);
  const entries: Entry[] = [];
  let isExpected = true;
  ENTRY.lastIndex = start;
  for (let at = start; value.slice(at).trim() !== ""; at = ENTRY.lastIndex) {
    const { name, raw, comma } = ENTRY.exec(value)?.groups ?? {};
    if (!isExpected || name === undefined || raw === undefined) return { kind: "unclear" };
    isExpected = comma === ",";
    const from = plain.indexOf(name, at);
    const valueAt = plain.indexOf(raw, plain.indexOf("=", from));
    entries.push({
      name,
      raw,
      start: from,
      end: valueAt + raw.length,
      comma: isExpected ? ENTRY.lastIndex - 1 : undefined,
    });
  }
  return { kind: "entries", entries };
}

function removeEntry(text: string, entry: Entry, before: Entry | undefined): string {
  const { start, end, comma } = entry;
  const lineStart = text.lastIndexOf("\n", start) + 1;
  const isOneLine = (from: number, to: number) => !text.slice(from, to).includes("\n");
  if (comma === undefined) {
    const separator = before?.comma;
    // A comma at the end is as good as none.
    const from = separator !== undefined && isOneLine(separator, start) ? separator : start;
    return withoutSpan(text, lineStart, from, end);
  }
  if (isOneLine(end, comma)) {
    // A comment must keep the blank in front of it.
    const blanks = /^[ \t]*(?![ \t;#])/.exec(text.slice(comma + 1))?.[0].length ?? 0;
    return withoutSpan(text, lineStart, start, comma + 1 + blanks);
  }
  const later = text.slice(0, comma) + text.slice(comma + 1);
  return withoutSpan(later, lineStart, start, end);
}

/** Without the span, and without its line when nothing else stands there. */
function withoutSpan(text: string, lineStart: number, start: number, end: number): string {
  const newline = text.indexOf("\n", end);
  const lineEnd = newline < 0 ? text.length : newline + 1;
  const isAlone = `${text.slice(lineStart, start)}${text.slice(end, lineEnd)}`.trim() === "";
  return isAlone
    ? text.slice(0, lineStart) + text.slice(lineEnd)
    : text.slice(0, start) + text.slice(end);
}
