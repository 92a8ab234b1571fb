import { sanitize } from "../output/sanitize.ts";
import { FINDINGS } from "./classes.ts";
import { HINTS } from "./hints.ts";
import { findMessage, parseResetAt } from "./messages.ts";
import { readReply, renderPrompt } from "./presets.ts";
import { findErrorType, hasErrorMark, isFromApi, isRecord, stringsOf } from "./structure.ts";
import type { Chat } from "../hosts/host.ts";
import type { Finding, VerdictClass } from "./classes.ts";
import type { Hint } from "./hints.ts";

/** What one chat request showed. */
export interface Verdict {
  readonly class: VerdictClass;
  readonly hint?: Hint;
  /** What the wrapper said, made fit for a terminal: one line, at most 120 characters. */
  readonly detail: string;
  /** When a spent usage limit resets, where the reply says so; epoch milliseconds. */
  readonly resetAt?: number;
}

/** A complete HTTP reply, or its beginning when it was longer than we read. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
  readonly truncated: boolean;
}

/** Why there is no reply to judge. */
export type FailureKind =
  | "refused"
  | "timeout"
  | "reset"
  | "redirect"
  | "too-large"
  | "encoded"
  | "not-http";

/**
 * The verdict on a reply. It is `pass` only on positive proof: 2xx, JSON of the preset's shape, and the
 * nonce in the reply text, not merely in a quotation of the question. Never throws.
 */
export function judgeReply(reply: Reply, chat: Chat, nonce: string): Verdict {
  if (isEncoded(reply)) return judgeFailure("encoded");
  if (reply.status >= 300 && reply.status < 400) return judgeFailure("redirect");

  const text = new TextDecoder().decode(reply.body);
  const json = parseJson(text);
  const answer = readReply(chat, json);
  const heard: Heard = { status: reply.status, truncated: reply.truncated, text, json, answer };

  if (isProof(heard, nonce)) return { class: "pass", detail: excerptOf(heard, answer ?? "") };
  return judgeText(heard) ?? judgeRefusal(heard) ?? judgeErrorType(heard) ?? judgeStatus(heard);
}

/** The verdict when the exchange itself failed. */
export function judgeFailure(kind: FailureKind): Verdict {
  return FAILURES[kind];
}

/** Everything that follows from a verdict's class, in the finer words of its hint when it has one. */
export function explain(verdictClass: VerdictClass, hint?: Hint): Finding {
  return { ...FINDINGS[verdictClass], ...(hint === undefined ? {} : HINTS[hint]) };
}

interface Heard {
  readonly status: number;
  readonly truncated: boolean;
  readonly text: string;
  readonly json: unknown;
  readonly answer: string | undefined;
}

/** A body this short is a message of the client's; a longer one may be a model that talks about such. */
const SHORT = 600;

const FAILURES = {
  refused: { class: "not-running", detail: "the connection was refused" },
  timeout: { class: "timeout", detail: "no complete answer before the deadline" },
  reset: {
    class: "wrapper-error",
    hint: "unavailable",
    detail: "the connection broke before the answer was complete",
  },
  redirect: { class: "not-a-wrapper", detail: "it redirects elsewhere" },
  "too-large": { class: "unexpected-reply", detail: "the reply is too large" },
  encoded: {
    class: "unexpected-reply",
    detail: "the reply is compressed although that was ruled out",
  },
  "not-http": { class: "not-a-wrapper", detail: "the answer is not HTTP" },
} as const satisfies Record<FailureKind, Verdict>;

/** The API's bare word for a bad key is `invalid x-api-key`: these are a wrapper's, about its own. */
const OWN_KEY = /^(?:invalid|missing)(?: or (?:invalid|missing))? api key\W*$/i;

function isEncoded({ headers }: Reply): boolean {
  const encoding = headers["content-encoding"];
  return encoding !== undefined && String(encoding).trim().toLowerCase() !== "identity";
}

function isSuccess({ status }: Heard): boolean {
  return status >= 200 && status < 300;
}

function isProof(heard: Heard, nonce: string): boolean {
  if (!isSuccess(heard) || heard.truncated || hasErrorMark(heard.json)) return false;
  const answer = heard.answer?.trim() ?? "";
  // An error text that quotes the question (`Command failed: claude -p …`) holds the word too, and proves nothing. A
  // reply that is the question and nothing else comes from an echo that somebody put there on purpose.
  const said = answer === renderPrompt(nonce) ? answer : answer.replaceAll(renderPrompt(nonce), "");
  return said.toLowerCase().includes(nonce);
}

/** A known message: anywhere in an error, elsewhere only where a model's own talk is unlikely. */
function judgeText(heard: Heard): Verdict | undefined {
  const isError = heard.status >= 400 || hasErrorMark(heard.json);
  const isShort = heard.text.trim().length < SHORT;
  const answer = heard.answer === undefined ? [] : [heard.answer];
  const rest = heard.json === undefined ? [heard.text] : stringsOf(heard.json);
  const parts = [
    ...answer.filter((part) => isError || part.trim().length < SHORT),
    ...(isError || isShort ? rest : []),
  ];
  const ambiguous = !isOwnRefusal(heard);
  for (const part of parts) {
    const found = findMessage(part, ambiguous);
    if (!found) continue;
    const { class: verdictClass, hint } = found.message;
    const resetAt = verdictClass === "usage-limit" ? parseResetAt(part) : undefined;
    return {
      ...verdict(heard, verdictClass, hint, found.excerpt),
      ...(resetAt === undefined ? {} : { resetAt }),
    };
  }
  return undefined;
}

function judgeRefusal(heard: Heard): Verdict | undefined {
  return isOwnRefusal(heard) ? verdict(heard, "wrapper-auth") : undefined;
}

function judgeErrorType(heard: Heard): Verdict | undefined {
  const found = findErrorType(heard.json);
  return found && verdict(heard, found.class, found.hint);
}

function judgeStatus(heard: Heard): Verdict {
  const { status, answer } = heard;
  if (isSuccess(heard)) {
    if (hasErrorMark(heard.json)) return verdict(heard, "wrapper-error");
    if (heard.truncated) return judgeFailure("too-large");
    if (answer === undefined) return verdict(heard, "not-a-wrapper");
    return verdict(heard, "unexpected-reply", answer.trim() === "" ? "empty-reply" : undefined);
  }
  if (status === 404 || status === 405 || status < 400) return verdict(heard, "not-a-wrapper");
  if (status === 429) return verdict(heard, "rate-limited");
  if (status === 529) return verdict(heard, "overloaded");
  if (status >= 502 && status <= 504) return verdict(heard, "wrapper-error", "unavailable");
  return verdict(heard, "wrapper-error", status < 500 ? "request-rejected" : undefined);
}

/** A 401 or 403 that the wrapper speaks for itself, not one that it passes on from Claude. */
function isOwnRefusal({ status, text, json }: Heard): boolean {
  if (status !== 401 && status !== 403) return false;
  return (
    stringsOf(json).some((part) => OWN_KEY.test(part)) ||
    !(isFromApi(json) || /API Error:/.test(text))
  );
}

function verdict(
  heard: Heard,
  verdictClass: VerdictClass,
  hint?: Hint,
  excerpt = heard.answer ?? errorMessage(heard.json) ?? heard.text,
): Verdict {
  return {
    class: verdictClass,
    ...(hint === undefined ? {} : { hint }),
    detail: excerptOf(heard, excerpt),
  };
}

function excerptOf(heard: Heard, excerpt: string): string {
  const prefix = isSuccess(heard) ? "" : `HTTP ${heard.status}: `;
  const start = excerpt.trimStart().slice(0, 2000);
  return sanitize(`${prefix}${start === "" ? "(empty)" : start}`, { maxLength: 120 });
}

function errorMessage(json: unknown): string | undefined {
  if (!isRecord(json)) return undefined;
  const nested = isRecord(json["error"]) ? json["error"]["message"] : json["error"];
  return [nested, json["detail"], json["message"]].find((value) => typeof value === "string");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
