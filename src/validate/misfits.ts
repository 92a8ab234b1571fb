import type { Credentials, Misfit } from "../credentials/parse.ts";
import { SyncCredsError } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";

/** What to do when only a new login helps. */
export const LOG_IN = "Log in: run `claude` and type `/login`, then push again";

/** The error for a file that holds no login, or none that could be understood. */
export function describeMisfit(
  credentials: Exclude<Credentials, { kind: "login" }>,
): SyncCredsError {
  if (credentials.kind === "wrong-types") {
    const problems = credentials.problems.map(
      ({ path, expected }) => `\`${path}\` must be ${expected}`,
    );
    return new SyncCredsError(
      "CREDENTIALS_MALFORMED",
      `${credentials.place} is not as Claude Code writes it`,
      { why: problems.join("; "), next: [LOG_IN] },
    );
  }
  const { code = "CREDENTIALS_MALFORMED", what, why, next = [LOG_IN] } = MISFITS[credentials.kind];
  return new SyncCredsError(code, `${credentials.place} ${what}`, { why, next });
}

interface Description {
  readonly code?: ErrorCode;
  /** Completes the sentence that the file's name begins. */
  readonly what: string;
  readonly why: string;
  readonly next?: readonly string[];
}

const MISFITS: Readonly<Record<Misfit, Description>> = {
  empty: {
    what: "is empty",
    why: "a write that was interrupted leaves such a file behind",
  },
  truncated: {
    what: "ends in the middle",
    why: "its JSON is not complete: a write was interrupted, or is still going on",
    next: ["Push again in a moment", LOG_IN],
  },
  bom: {
    what: "begins with a byte order mark",
    why: "some editors put one there; Claude Code takes such a file for no login at all",
    next: ["Save it as UTF-8 without a byte order mark", LOG_IN],
  },
  "not-utf8": {
    what: "is not text in UTF-8",
    why: "some shells and editors on Windows write UTF-16 instead",
    next: ["Save it as UTF-8 without a byte order mark", LOG_IN],
  },
  "not-json": {
    what: "is not JSON",
    why: "something other than Claude Code wrote it; comments are not allowed in it either",
  },
  "not-object": {
    what: "holds no JSON object",
    why: "something other than Claude Code wrote it",
  },
  "snake-case": {
    what: "holds a login of another program",
    why: "it spells the token `access_token`, as `ant auth login` does; Claude Code does not read that",
  },
  "foreign-wrapping": {
    what: "holds a login in another program's form",
    why: "it keeps it under `claude_ai_oauth`; Claude Code reads `claudeAiOauth` only",
  },
  "mcp-only": {
    code: "CREDENTIALS_MCP_ONLY",
    what: "holds logins of MCP servers only",
    why: "there is no `claudeAiOauth` in it: Claude Code itself is logged out, or keeps its login elsewhere",
  },
  "api-key-only": {
    code: "CREDENTIALS_NOT_FOUND",
    what: "holds an API key and no login",
    why: "it belongs to a Console account: there is no `claudeAiOauth` in it",
    next: ["Log in with a Claude subscription: run `claude` and type `/login`, then push again"],
  },
  "no-login": {
    code: "CREDENTIALS_NOT_FOUND",
    what: "holds no login",
    why: "there is no `claudeAiOauth` in it: Claude Code is logged out",
  },
};
