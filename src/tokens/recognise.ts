import { isPlaceholder } from "../credentials/parse.ts";
import { SyncCredsError } from "../errors.ts";
import { Secret } from "../secret.ts";

/** What a secret is, as far as its prefix tells. */
export type TokenKind = "setup-token" | "api-key" | "refresh-token" | "other";

/** The one secret that a text holds. */
export interface Recognised {
  readonly secret: Secret;
  readonly kind: Exclude<TokenKind, "refresh-token">;
  /** It came in the words of `claude setup-token`: then it is a setup token for certain. */
  readonly isFromSetup: boolean;
  /** How many lines it was put together from, because a terminal had broken it. */
  readonly lines: number;
  /** Characters of the secret. */
  readonly length: number;
}

/**
 * The kind of a secret by its prefix. `setup-token` is `sk-ant-oat…`, and so is the access token of a `/login`, which
 * lives eight hours and not a year: the prefix does not tell one from the other (measured, with tokens of both kinds).
 */
export function classifyToken(secret: Secret): TokenKind {
  const value = secret.reveal();
  if (value.startsWith("sk-ant-oat")) return "setup-token";
  if (value.startsWith("sk-ant-api")) return "api-key";
  return value.startsWith("sk-ant-ort") ? "refresh-token" : "other";
}

/**
 * Takes the token out of what a person has pasted or piped in: the whole output of `claude setup-token` as a terminal
 * or a pipe gives it, a token or API key with or without text around it, or any other secret of one line. Error:
 * `TOKEN_UNUSABLE`, which never quotes the text.
 */
export function recogniseToken(pasted: Secret): Recognised {
  const text = withoutEscapes(pasted.reveal());
  if (text.trim() === "") {
    throw unusable("no token came", "there was nothing but white space", [HOW_TO_GET]);
  }
  if (/[^\P{Cc}\n\t]/u.test(text)) {
    throw unusable(
      "the text holds control characters",
      "no token has any; text in UTF-16 looks like that",
      ["Paste the token as plain text"],
    );
  }
  if (/"?(?:claudeAiOauth|accessToken)"?\s*:/.test(text)) {
    throw unusable(
      "that is a credentials file",
      "its access token lives for hours, and its refresh token belongs to one machine",
      [
        "For a token of a year run `claude setup-token`",
        "To push this login, store nothing: `sync-creds push` finds it",
      ],
    );
  }
  const found = findTokens(text);
  if (found.length === 0) return recogniseOther(text);
  const tokens = found.map(({ value }) => new Secret(value));
  if (tokens.some((token) => classifyToken(token) === "refresh-token")) {
    throw unusable(
      "that is a refresh token",
      "it works once: two machines that share one log each other out",
      ["For an unattended host run `claude setup-token`, and store what that prints"],
    );
  }
  const [first, ...others] = found;
  const [secret, ...rest] = tokens;
  if (first === undefined || secret === undefined) return recogniseOther(text);
  if (rest.some((token) => !token.equals(secret))) {
    throw unusable(
      `the text holds ${new Set(found.map(({ value }) => value)).size} different tokens`,
      "only one can be stored under a name",
      ["Paste the one you mean, and nothing else"],
    );
  }
  if ([first, ...others].some(({ isCut }) => isCut)) {
    throw unusable("the token is not whole", "it is cut short, or a part of it is left out", [
      "Paste all of it",
    ]);
  }
  if (isPlaceholder(first.value)) throw placeholder();
  const kind = classifyToken(secret);
  return {
    secret,
    kind: kind === "refresh-token" ? "other" : kind,
    isFromSetup: kind === "setup-token" && SETUP_WORDS.test(text),
    lines: first.lines,
    length: first.value.length,
  };
}

interface Found {
  readonly value: string;
  /** It is too short, or shown with dots or asterisks in place of its rest. */
  readonly isCut: boolean;
  readonly lines: number;
}

const HOW_TO_GET = "Run `claude setup-token`, then this command again, and paste what that printed";
/** The words around the token, in the output of `claude setup-token` (2.1.x). */
const SETUP_WORDS = /long-lived authentication token created|oauth token \(valid for/i;
const TOKEN = /(?<![\w-])sk-ant-[a-z]+\d*-[\w-]*/g;
/** All tokens and keys that were seen are this long; a longer one is still taken whole where nothing broke it. */
const USUAL_LENGTH = 108;
const SHORTEST = 10;
const LARGEST_OTHER = 16 * 1024;

/** A text as it reads on the screen: colours vanish, and what moves the cursor parts words or lines. */
function withoutEscapes(text: string): string {
  return (
    text
      .replace(/\r\n?/g, "\n")
      // oxlint-disable-next-line no-control-regex -- escape sequences are what it is for
      .replace(/\u001B\][^\u0007\u001B\n]*(?:\u0007|\u001B\\)?/g, "")
      // oxlint-disable-next-line no-control-regex -- as above
      .replace(/\u001B\[[0-?]*[ -/]*([@-~])/g, (_, end: string) => {
        if ("CG".includes(end)) return " ";
        return "ABEFHfJ".includes(end) ? "\n" : "";
      })
      // oxlint-disable-next-line no-control-regex -- as above
      .replace(/\u001B[ -/]*[0-~]/g, "")
  );
}

function findTokens(text: string): Found[] {
  // Borders of a box that a terminal draws around its text are no part of it. They stand here by number: one sign beyond
  // Latin-1 makes a two-byte text of the whole bundle, which node takes longer to load.
  const lines = text.split("\n").map((line) => line.replaceAll(/[\u2502\u2503|]/g, " ").trimEnd());
  return lines.flatMap((line, at) =>
    [...line.matchAll(TOKEN)].map((match) => {
      const head = match[0];
      const rest = line.slice(match.index + head.length);
      const tail = rest === "" ? findTail(lines, at, head.length) : [];
      const value = [head, ...tail].join("");
      const payload = value.replace(/^sk-ant-[a-z]+\d*-/, "");
      return {
        value,
        isCut: payload.length < SHORTEST || /^(?:\.\.|\u2026|\*|<|\[)/.test(rest),
        lines: 1 + tail.length,
      };
    }),
  );
}

/** The further lines of a token that fills its line: those of nothing but its characters, as long as each is full. */
function findTail(lines: readonly string[], at: number, headLength: number): string[] {
  const width = lines[at]?.length ?? 0;
  const tail: string[] = [];
  let length = headLength;
  for (const line of lines.slice(at + 1)) {
    const part = line.trim();
    const isPart = /^[\w-]+$/.test(part) && !part.startsWith("sk-ant-") && line.length <= width;
    if (length >= USUAL_LENGTH || !isPart) break;
    tail.push(part);
    length += part.length;
    if (line.length < width) break;
  }
  return tail;
}

/** A secret that is none of Anthropic's, such as the bearer of a wrapper. */
function recogniseOther(text: string): Recognised {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const value = lines[0]?.trim() ?? "";
  if (lines.length > 1) {
    throw unusable(
      `there is no token of Claude in these ${lines.length} lines`,
      "another secret must stand alone on one line",
      ["Paste the secret, and nothing else"],
    );
  }
  if (value.length > LARGEST_OTHER) {
    throw unusable("that is too much to be a secret", "it is longer than 16 KiB", [
      "Paste the secret, and nothing else",
    ]);
  }
  if (/sk-ant-/.test(value)) {
    throw unusable("the token is not whole", "only a part of one stands there", [
      "Paste all of it",
    ]);
  }
  if (!/^[\t\x20-\x7e\xa0-\xff]+$/.test(value)) {
    throw unusable(
      "the secret holds characters that cannot be sent",
      "it becomes part of an HTTP header: Latin-1 text",
      ["Paste the secret as it was issued"],
    );
  }
  if (isPlaceholder(value) || STAND_IN.test(value)) throw placeholder();
  return {
    secret: new Secret(value),
    kind: "other",
    isFromSetup: false,
    lines: 1,
    length: value.length,
  };
}

const STAND_IN = /^<.*>$|^\$\{?\w+\}?$|^x{4,}$|^\*+$|\byour[-_ ].*(?:key|token|secret)/i;

function placeholder(): SyncCredsError {
  return unusable("that is a placeholder", "the text stands where a token should be put", [
    "Paste the token itself",
  ]);
}

function unusable(what: string, why: string, next: readonly string[]): SyncCredsError {
  return new SyncCredsError("TOKEN_UNUSABLE", what, { why: `${why}; nothing was stored`, next });
}
