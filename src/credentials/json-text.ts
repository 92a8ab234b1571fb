/** Bytes as strict JSON, or what keeps them from being it. Neither form is fit to be printed. */
export type JsonText =
  | { readonly kind: "json"; readonly text: string; readonly value: unknown }
  | { readonly kind: JsonFlaw; readonly text?: string };

/** `truncated`: a string, object or array is still open where the text ends. */
export type JsonFlaw = "empty" | "bom" | "not-utf8" | "truncated" | "not-json";

/** Where a value stands in a text; `end` is the offset behind it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One `"key": value` of an object. */
export interface Member {
  readonly key: string;
  /** Where the key stands, at its quote. */
  readonly start: number;
  readonly value: Span;
}

/** Reads bytes as JSON: UTF-8 without byte order mark, no comments, no trailing commas. Total. */
export function parseJsonText(bytes: Uint8Array): JsonText {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { kind: "bom" };
  const text = decodeUtf8(bytes);
  if (text === undefined) return { kind: "not-utf8" };
  if (text.trim() === "") return { kind: "empty" };
  try {
    return { kind: "json", text, value: JSON.parse(text) };
  } catch {
    // The error is dropped with its message: that quotes the text.
    return { kind: isUnfinished(text) ? "truncated" : "not-json", text };
  }
}

/** Whether a JSON value is an object: no array, no `null`. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Where the value of a top-level key stands in the text of a valid JSON object; `undefined` without
 * such a key. Of several the last one counts, as it does for `JSON.parse`.
 */
export function findMember(text: string, key: string): Span | undefined {
  return membersOf(text).findLast((member) => member.key === key)?.value;
}

/**
 * The members of an object in the text of a valid JSON object, in the order of the text and repeated ones too: of the object
 * whose brace is the first one at or behind `from`.
 */
export function membersOf(text: string, from = 0): Member[] {
  const members: Member[] = [];
  let depth = 0;
  let key: string | undefined;
  let keyStart = 0;
  let start = 0;
  for (let at = text.indexOf("{", from); at >= 0 && at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = findStringEnd(text, at) ?? text.length;
      if (depth === 1 && key === undefined) {
        key = String(JSON.parse(text.slice(at, end)));
        keyStart = at;
      }
      at = end - 1;
    } else if (character === "{" || character === "[") {
      depth++;
    } else if (character === ":" && depth === 1) {
      start = at + 1;
    } else if (character === "}" || character === "]" || character === ",") {
      if (depth === 1 && key !== undefined) {
        members.push({ key, start: keyStart, value: trimSpan(text, { start, end: at }) });
        key = undefined;
      }
      if (character !== ",") depth--;
      if (depth === 0) break;
    }
  }
  return members;
}

/** The text of a valid JSON object without some members of the object at `from`, their commas and the blanks in front of them. */
export function withoutMembers(
  text: string,
  from: number,
  isGone: (member: Member) => boolean,
): string {
  const members = membersOf(text, from);
  const isKept = (member: Member) => !isGone(member);
  const last = members.at(-1);
  if (last === undefined || members.every(isKept)) return text;
  const inside = text.indexOf("{", from) + 1;
  const lastKept = members.findLastIndex(isKept);
  if (lastKept < 0) return text.slice(0, inside) + text.slice(text.indexOf("}", last.value.end));
  // The offset behind each member's comma; the last member has none.
  const ends = members.map(({ value }) => text.indexOf(",", value.end) + 1);
  let kept = text.slice(0, inside);
  for (const [at, member] of members.entries()) {
    if (isGone(member)) continue;
    const start = ends[at - 1] ?? inside;
    kept += text.slice(start, at === lastKept ? member.value.end : ends[at]);
  }
  return kept + text.slice(last.value.end);
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function isUnfinished(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = findStringEnd(text, at);
      if (end === undefined) return true;
      at = end - 1;
    } else if (character === "{" || character === "[") {
      depth++;
    } else if (character === "}" || character === "]") {
      depth--;
    }
  }
  return depth > 0;
}

/** The offset behind the string that opens at `start`; `undefined` when it never closes. */
function findStringEnd(text: string, start: number): number | undefined {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
  }
  return undefined;
}

function trimSpan(text: string, { start, end }: Span): Span {
  const value = text.slice(start, end);
  return {
    start: start + (value.length - value.trimStart().length),
    end: start + value.trimEnd().length,
  };
}

/** Each flaw in the user's terms. */
export const JSON_FLAWS: Readonly<Record<JsonFlaw, string>> = {
  empty: "it is empty",
  bom: "it begins with a byte order mark",
  "not-utf8": "it is not UTF-8",
  truncated: "it ends in the middle of its JSON",
  "not-json": "it is not JSON",
};
