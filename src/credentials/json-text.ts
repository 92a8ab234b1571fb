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
  let found: Span | undefined;
  let depth = 0;
  let name: string | undefined;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = findStringEnd(text, at) ?? text.length;
      if (depth === 1) name ??= String(JSON.parse(text.slice(at, end)));
      at = end - 1;
    } else if (character === "{" || character === "[") {
      depth++;
    } else if (character === ":" && depth === 1) {
      start = at + 1;
    } else if (character === "}" || character === "]" || character === ",") {
      if (depth === 1 && name === key) found = trimSpan(text, { start, end: at });
      if (depth === 1) name = undefined;
      if (character !== ",") depth--;
    }
  }
  return found;
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
