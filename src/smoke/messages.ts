import type { VerdictClass } from "./classes.ts";
import type { Hint } from "./hints.ts";

/** A text of Claude Code, of its API or of a wrapper, and what it gives away. */
interface Message {
  readonly class: VerdictClass;
  readonly hint?: Hint;
  readonly pattern: RegExp;
  /** Wrappers say the same of their own key, so in their own 401 or 403 it proves nothing about Claude. */
  readonly ambiguous: boolean;
}

/** What `findMessage` found: the message, and the part of the text that shows it. */
export interface Found {
  readonly message: Message;
  readonly excerpt: string;
}

/** The first known message in `text`, whatever has become of its separators; ambiguous ones on request. */
export function findMessage(text: string, ambiguous: boolean): Found | undefined {
  const plain = text.replace(ESCAPED_CHARACTER, "·");
  for (const message of MESSAGES) {
    if (message.ambiguous && !ambiguous) continue;
    const found = message.pattern.exec(plain);
    if (!found) continue;
    if (found.index < 60) return { message, excerpt: plain };
    // Without what is left of the JSON that the message stood in.
    return { message, excerpt: plain.slice(found.index).replace(/["'}\]\s]+$/, "") };
  }
  return undefined;
}

/** When a spent limit resets, from the machine form `…reached|SECONDS`; epoch milliseconds. */
export function parseResetAt(text: string): number | undefined {
  const seconds = /limit reached\|(\d{9,11})(?!\d)/i.exec(text)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/** `\u00b7` in JSON within JSON, `&middot;` in a page. */
const ESCAPED_CHARACTER = /\\+u[0-9a-f]{4}|&(?:#x?)?[0-9a-z]{2,8};/gi;

/**
 * Texts of Claude Code 2.0.5 and 2.1.330, of the API, and of wrappers; finer rows first.
 * In a row ` · ` stands for any short separator, since wrappers mangle U+00B7, and ` … ` for a few words.
 */
const MESSAGES: readonly Message[] = [
  says("external-key-invalid", "Invalid API key · Fix external API key"),
  says("external-key-invalid", "Invalid X-Api-Key header value"),
  says("external-key-invalid", "Invalid auth token · Fix external auth token", "external-token"),
  says("external-key-invalid", "apiKeyHelper script is failing", "helper-failing"),
  says("external-key-invalid", "has disabled API key authentication", "api-key-disabled"),
  mayMean("external-key-invalid", "invalid x-api-key"),

  says("org-disabled", "belongs to a disabled organization", "disabled-key"),
  says("org-disabled", "organization has been disabled"),
  says("org-disabled", "OAuth authentication is currently not", "subscription-disabled"),
  says("org-disabled", "has disabled Claude subscription access", "subscription-disabled"),

  says("wrapper-error", "Could not refresh your login: the disk", "disk-full"),
  says("wrapper-error", "another Claude Code process is refreshing", "refresh-busy"),
  says("wrapper-error", "cannot be used with root/sudo privileges", "root-flag"),
  says("wrapper-error", "issue with the selected model", "model"),
  says("wrapper-error", "is not available with the Claude", "model"),
  says("wrapper-error", "claude: command not found", "client-missing"),
  says("wrapper-error", "claude: not found", "client-missing"),
  says("wrapper-error", "No such file or directory: 'claude'", "client-missing"),
  says("wrapper-error", "spawn claude ENOENT", "client-missing"),

  says("token-expired", "Anthropic profile login expired", "profile"),
  says("token-expired", "Login expired · Please run /login", "login-over"),
  says("token-expired", "OAuth session expired and could not be refreshed", "login-over"),
  says("token-expired", "login reached its time limit", "login-over"),
  says("token-expired", "OAuth token has expired"),
  says("token-expired", "OAuth access token has expired"),

  says("token-revoked", "OAuth token revoked"),
  says("token-revoked", "OAuth token has been revoked"),
  says("token-revoked", "OAuth access token has been revoked"),

  says("token-invalid", "Invalid OAuth token"),
  says("token-invalid", "OAuth access token is invalid"),
  says("token-invalid", "does not meet scope requirement", "scope"),
  mayMean("token-invalid", "Invalid bearer token"),
  mayMean("token-invalid", "Invalid authentication credentials"),

  says("billing", "credit balance is too low"),

  says("usage-limit", "hit your … limit"),
  says("usage-limit", "out of extra usage"),
  says("usage-limit", "usage limit reached"),
  says("usage-limit", "hour limit reached"),
  says("usage-limit", "session limit reached"),
  says("usage-limit", "weekly limit reached"),
  says("usage-limit", "Opus limit reached"),

  says("rate-limited", "Request rejected (429)"),
  says("rate-limited", "Rate limit reached"),
  says("rate-limited", "Rate limit exceeded"),
  says("rate-limited", "temporarily limiting requests"),
  says("rate-limited", "API Error: 429"),

  says("overloaded", "Authentication error · This may be a temporary network", "api-unreachable"),
  says("overloaded", "Unable to connect to API", "api-unreachable"),
  says("overloaded", "529 Overloaded"),
  says("overloaded", "API Error: 529"),
  says("overloaded", "API Error: 500"),
  says("overloaded", "API Error: 502"),
  says("overloaded", "API Error: 503"),
  says("overloaded", "API Error: 504"),
  says("overloaded", "Request timed out"),

  says("not-logged-in", "Could not resolve authentication method", "no-auth-method"),
  says("not-logged-in", "Claude Code authentication failed"),
  says("not-logged-in", "Invalid API key · Please run /login"),
  says("not-logged-in", "Missing API key · Run /login"),
  says("not-logged-in", "Not logged in · Please run /login"),
  says("not-logged-in", "Please run /login"),
  mayMean("not-logged-in", "Not logged in"),

  mayMean("org-disabled", "Request not allowed", "forbidden"),
  says("org-disabled", "API Error: 403", "forbidden"),
  says("token-invalid", "API Error: 401"),
  mayMean("external-key-invalid", "Invalid API key"),
];

function says(verdictClass: VerdictClass, phrase: string, hint?: Hint): Message {
  return {
    class: verdictClass,
    ...(hint === undefined ? {} : { hint }),
    pattern: compile(phrase),
    ambiguous: false,
  };
}

function mayMean(verdictClass: VerdictClass, phrase: string, hint?: Hint): Message {
  return { ...says(verdictClass, phrase, hint), ambiguous: true };
}

function compile(phrase: string): RegExp {
  const source = phrase
    .replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(" · ", "[^A-Za-z0-9]{1,5}")
    .replaceAll(" … ", ".{1,40}?")
    .replaceAll("'", ".{1,3}")
    .replaceAll(" ", String.raw`\s{1,3}`);
  return new RegExp(source, "i");
}
