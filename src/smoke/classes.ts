/** What one smoke request proved. Exactly one per request. */
export type VerdictClass =
  | "pass"
  | "healthy"
  | "external-key-invalid"
  | "not-logged-in"
  | "token-expired"
  | "token-revoked"
  | "token-invalid"
  | "org-disabled"
  | "billing"
  | "usage-limit"
  | "rate-limited"
  | "overloaded"
  | "wrapper-auth"
  | "wrapper-error"
  | "timeout"
  | "not-a-wrapper"
  | "not-running"
  | "unexpected-reply";

/** What a class means and what follows from it. */
export interface Finding {
  /** One sentence for the user. */
  readonly meaning: string;
  /** Where the cause lies. `shadow`: a credential on the host that outranks the file. */
  readonly blame: "credentials" | "shadow" | "wrapper" | "upstream" | "nobody";
  /** Whether the former credentials go back: `if-baseline-passed` when they were seen to work. */
  readonly rollBack: "always" | "if-baseline-passed" | "never";
  /** It may pass by itself: asking again within the deadline is worth it. */
  readonly retry: boolean;
  /** What to do, imperative; commands in backticks. */
  readonly next: readonly string[];
}

/** Next step when only a fresh login helps. */
export const LOG_IN_AND_PUSH = "Run `claude` here, log in, then push again";
/** Next step when the cause can only be in the wrapper. */
export const READ_THE_LOG = "Read the wrapper's log on HOST";

/** The finding of every class: the one place that decides about rollback and retry. */
export const FINDINGS = {
  pass: {
    meaning: "the wrapper answers",
    blame: "nobody",
    rollBack: "never",
    retry: false,
    next: [],
  },
  healthy: {
    meaning: "it is up; hosts.json names no question to ask it",
    blame: "nobody",
    rollBack: "never",
    retry: false,
    next: ["Set `chat` in the switch's `wrapper` in hosts.json, so that an answer can prove it"],
  },
  "external-key-invalid": {
    meaning:
      "an API key in the wrapper's environment, or one that its apiKeyHelper prints, outranks the credentials file and is rejected",
    blame: "shadow",
    rollBack: "always",
    retry: false,
    next: [
      "Run `sync-creds plan HOST` to see where the key comes from",
      "Remove `ANTHROPIC_API_KEY` or `apiKeyHelper` there, then push again",
    ],
  },
  "not-logged-in": {
    meaning: "the wrapper's Claude finds no login that it can use",
    blame: "credentials",
    rollBack: "always",
    retry: false,
    next: ["Check that the wrapper runs as the account, and with the home, that the push wrote to"],
  },
  "token-expired": {
    meaning: "the access token has expired",
    blame: "credentials",
    rollBack: "always",
    retry: false,
    next: ["Let Claude Code renew it: `sync-creds refresh`, then push again"],
  },
  "token-revoked": {
    meaning: "the login was signed out, or its token was replaced elsewhere",
    blame: "credentials",
    rollBack: "always",
    retry: false,
    next: [LOG_IN_AND_PUSH],
  },
  "token-invalid": {
    meaning: "Claude does not accept this token",
    blame: "credentials",
    rollBack: "always",
    retry: false,
    next: [LOG_IN_AND_PUSH, "Run `sync-creds plan HOST` to see whether another token is in use"],
  },
  "org-disabled": {
    meaning: "the organization of this credential is disabled",
    blame: "credentials",
    rollBack: "always",
    retry: false,
    next: ["Log in with an account of an active organization, then push again"],
  },
  billing: {
    meaning: "the account behind the wrapper has no API credit left",
    blame: "upstream",
    rollBack: "if-baseline-passed",
    retry: false,
    next: [
      "Run `sync-creds plan HOST` to see whether an API key is used in place of the login",
      "Remove that key, or add credit to its account",
    ],
  },
  "usage-limit": {
    meaning: "the login works; its usage limit is reached",
    blame: "nobody",
    rollBack: "never",
    retry: false,
    next: ["Wait until the limit resets, or push a login of another account"],
  },
  "rate-limited": {
    meaning: "too many requests at the moment",
    blame: "upstream",
    rollBack: "if-baseline-passed",
    retry: true,
    next: ["Wait a minute, then push again"],
  },
  overloaded: {
    meaning: "Claude's API has trouble of its own at the moment",
    blame: "upstream",
    rollBack: "if-baseline-passed",
    retry: true,
    next: ["Look at https://status.claude.com, then push again"],
  },
  "wrapper-auth": {
    meaning: "the wrapper itself refused the request: its own bearer is missing or wrong",
    blame: "wrapper",
    rollBack: "if-baseline-passed",
    retry: false,
    next: ["Set `wrapper.bearer` in hosts.json to the key that this wrapper expects"],
  },
  "wrapper-error": {
    meaning: "the wrapper failed to answer",
    blame: "wrapper",
    rollBack: "if-baseline-passed",
    retry: false,
    next: [READ_THE_LOG],
  },
  timeout: {
    meaning: "no whole answer came in time; Claude Code retries a rejected login for minutes",
    blame: "wrapper",
    rollBack: "if-baseline-passed",
    retry: false,
    next: [READ_THE_LOG, "Raise `wrapper.timeoutMs` in hosts.json if this wrapper is just slow"],
  },
  "not-a-wrapper": {
    meaning: "what answers there does not talk like the configured wrapper",
    blame: "wrapper",
    rollBack: "if-baseline-passed",
    retry: false,
    next: ["Check `wrapper.url` and `wrapper.chat` in hosts.json, and which process owns the port"],
  },
  "not-running": {
    meaning: "nothing listens on the wrapper's port",
    blame: "wrapper",
    rollBack: "always",
    retry: false,
    next: [READ_THE_LOG, "Check the port in `wrapper.url`"],
  },
  "unexpected-reply": {
    meaning: "the wrapper answered, but not with the word it was asked for",
    blame: "wrapper",
    rollBack: "if-baseline-passed",
    retry: false,
    next: ["Check that `wrapper.chat` reaches a model and not a canned or cached answer"],
  },
} as const satisfies Record<VerdictClass, Finding>;
