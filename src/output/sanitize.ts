import type { Secret } from "../secret.ts";

const REDACTED = "[redacted]";

/** OSC, DCS, SOS, PM and APC strings with their payload; unterminated ones end with their line. */
const CONTROL_STRING =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is for
  /(?:\u001B[\]PX^_]|[\u009D\u0090\u0098\u009E\u009F])[^\u0007\u001B\u009C\n]*(?:\u0007|\u001B\\|\u009C)?/g;
// oxlint-disable-next-line no-control-regex -- as above
const CONTROL_SEQUENCE = /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]?/g;
// oxlint-disable-next-line no-control-regex -- as above
const SHORT_ESCAPE = /\u001B[ -/]*[0-~]?/g;
const LINE_BREAK = /\r\n?|[\u2028\u2029]/g;
/** C0, C1, DEL; bidi controls, zero-width and other characters that print nothing; lone surrogates. */
const UNPRINTABLE = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;
const TOKEN = /sk-ant-[a-z]+\d\d-[A-Za-z0-9_-]{6,}/g;

/** What `sanitize` keeps: `maxLength` characters (UTF-16 units) per line, `maxLines` lines (1 unless told). */
export interface Limits {
  readonly maxLength: number;
  readonly maxLines?: number;
}

/**
 * A text from elsewhere, fit for a terminal: no escape sequences, controls, bidi or invisible characters,
 * no Claude token, no more than `limits` allow. With one line, line breaks become spaces.
 */
export function sanitize(text: string, { maxLength, maxLines = 1 }: Limits): string {
  const plain = text
    .replace(LINE_BREAK, "\n")
    .replace(CONTROL_STRING, "")
    .replace(CONTROL_SEQUENCE, "")
    .replace(SHORT_ESCAPE, "")
    .replaceAll("\t", " ")
    .replace(UNPRINTABLE, "")
    .replace(TOKEN, REDACTED);
  const lines = maxLines === 1 ? [plain.replace(/\s+/g, " ").trim()] : plain.split("\n");
  return lines
    .slice(0, maxLines)
    .map((line) => cap(line, maxLength))
    .join("\n");
}

/** `text` without any of the `secrets`, be they written plainly, in JSON, in a URL or in base64. */
export function redact(text: string, secrets: readonly Secret[]): string {
  return secrets
    .flatMap((secret) => spellings(secret.reveal()))
    .sort((a, b) => b.length - a.length)
    .reduce((rest, spelling) => rest.replaceAll(spelling, REDACTED), text);
}

function spellings(value: string): string[] {
  if (value === "") return [];
  const bytes = Buffer.from(value, "utf8");
  const base64 = bytes.toString("base64").replace(/=+$/, "");
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    // Through the bytes: a lone surrogate would make encodeURIComponent throw.
    encodeURIComponent(bytes.toString("utf8")),
    base64,
    bytes.toString("base64url"),
  ];
}

function cap(line: string, maxLength: number): string {
  if (line.length <= maxLength) return line;
  if (maxLength < 1) return "";
  // Half a surrogate pair at the cut would be an unprintable character of our own making.
  return `${line.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
