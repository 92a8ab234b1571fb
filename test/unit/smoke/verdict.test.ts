import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Chat } from "../../../src/hosts/host.ts";
import { FINDINGS } from "../../../src/smoke/classes.ts";
import type { VerdictClass } from "../../../src/smoke/classes.ts";
import type { Hint } from "../../../src/smoke/hints.ts";
import { readReply, renderPrompt } from "../../../src/smoke/presets.ts";
import { explain, judgeFailure, judgeReply } from "../../../src/smoke/verdict.ts";
import type { FailureKind, Verdict } from "../../../src/smoke/verdict.ts";

const NONCE = "sync0123456789ab";
const CHAT: Chat = { preset: "chat" };

/** `said` may be a text, or a value that is sent as JSON. */
function judge(status: number, said: unknown, chat = CHAT): Verdict {
  const text = typeof said === "string" ? said : JSON.stringify(said);
  return judgeReply(
    { status, headers: {}, body: Buffer.from(text), truncated: false },
    chat,
    NONCE,
  );
}

const reply = (text: string) => ({ response: text, status: "success" });
const apiError = (type: string, message: string) => ({ type: "error", error: { type, message } });
const named = ({ class: verdictClass, hint }: Verdict) =>
  hint === undefined ? verdictClass : `${verdictClass}/${hint}`;

const isClass = (name: string): name is VerdictClass => Object.hasOwn(FINDINGS, name);

type Named = VerdictClass | `${VerdictClass}/${Hint}`;

/** Everything the client, the API and known wrappers say, as they say it. */
const TEXTS: [text: string, expected: Named][] = [
  ["Invalid API key · Fix external API key", "external-key-invalid"],
  [
    "Invalid API key · Fix external API key · Invalid X-Api-Key header value from ANTHROPIC_API_KEY: newline",
    "external-key-invalid",
  ],
  ['API Error: 401 {"error":{"message":"invalid x-api-key"}}', "external-key-invalid"],
  ["Invalid auth token · Fix external auth token", "external-key-invalid/external-token"],
  ["Your apiKeyHelper script is failing · exit 1", "external-key-invalid/helper-failing"],
  [
    "Your organization has disabled API key authentication · Run /login",
    "external-key-invalid/api-key-disabled",
  ],
  ["Invalid API key · Please run /login", "not-logged-in"],
  ["Missing API key · Run /login", "not-logged-in"],
  ["Not logged in · Please run /login", "not-logged-in"],
  [
    "Could not resolve authentication method. Expected one of apiKey, authToken, credentials",
    "not-logged-in/no-auth-method",
  ],
  [
    "Could not resolve authentication method. Expected either apiKey or authToken to be set",
    "not-logged-in/no-auth-method",
  ],
  ["OAuth token has expired · Please run /login", "token-expired"],
  [
    'API Error: 401 {"type":"error","error":{"type":"authentication_error","message":"OAuth token has expired. Please obtain a new token or refresh your existing token."}}',
    "token-expired",
  ],
  ["401 OAuth access token has expired. Re-authenticate to continue.", "token-expired"],
  ["Login expired · Please run /login", "token-expired/login-over"],
  [
    "Failed to authenticate: OAuth session expired and could not be refreshed",
    "token-expired/login-over",
  ],
  ["Login reached its time limit · Please run /login", "token-expired/login-over"],
  [
    "Failed to authenticate: this login reached its time limit and cannot be renewed",
    "token-expired/login-over",
  ],
  ["Anthropic profile login expired · Log in again", "token-expired/profile"],
  ["OAuth token revoked · Please run /login", "token-revoked"],
  ['API Error: 401 "OAuth access token has been revoked."', "token-revoked"],
  ["OAuth token has been revoked. Please obtain a new token.", "token-revoked"],
  ["Invalid OAuth token. The provided token was not found or is malformed.", "token-invalid"],
  ["API Error: 401 OAuth access token is invalid.", "token-invalid"],
  ["API Error: 401 Invalid bearer token", "token-invalid"],
  ["Please run /login · API Error: 401 Invalid authentication credentials", "token-invalid"],
  ["API Error: 401 Invalid authentication credentials", "token-invalid"],
  ["API Error: 401 something new", "token-invalid"],
  ["OAuth token does not meet scope requirement: user:profile", "token-invalid/scope"],
  [
    "OAuth authentication is currently not allowed for this organization.",
    "org-disabled/subscription-disabled",
  ],
  ["OAuth authentication is currently not supported.", "org-disabled/subscription-disabled"],
  [
    "Your organization has disabled Claude subscription access for Claude Code · Use an API key",
    "org-disabled/subscription-disabled",
  ],
  [
    "Your ANTHROPIC_API_KEY belongs to a disabled organization · Unset it",
    "org-disabled/disabled-key",
  ],
  ["API Error: 400 This organization has been disabled.", "org-disabled"],
  [
    'API Error: 403 {"error":{"type":"forbidden","message":"Request not allowed"}}',
    "org-disabled/forbidden",
  ],
  ["Credit balance is too low", "billing"],
  ["Your credit balance is too low to access the Anthropic API.", "billing"],
  ["You've hit your session limit · resets 3:45pm", "usage-limit"],
  ["You’ve hit your weekly limit · resets Mon 12:00am", "usage-limit"],
  ["Youâ€™ve hit your Opus limit · resets 3pm", "usage-limit"],
  ["You've hit your limit · resets 10pm (America/New_York)", "usage-limit"],
  ["You're out of extra usage · resets 1pm (UTC)", "usage-limit"],
  ["Claude usage limit reached. Your limit will reset at 9am (UTC)", "usage-limit"],
  ["Claude AI usage limit reached|1760000400", "usage-limit"],
  ["5-hour limit reached ∙ resets 3pm", "usage-limit"],
  ["API Error: Request rejected (429) · try again", "rate-limited"],
  ["API Error: Rate limit reached", "rate-limited"],
  ["Server is temporarily limiting requests (not your usage limit)", "rate-limited"],
  ["Rate limit exceeded: 10 per 1 minute", "rate-limited"],
  ["API Error: Repeated 529 Overloaded errors", "overloaded"],
  ["API Error: 500 Internal server error", "overloaded"],
  ["Request timed out", "overloaded"],
  ["Unable to connect to API (ECONNREFUSED)", "overloaded/api-unreachable"],
  [
    "Authentication error · This may be a temporary network issue, please try again",
    "overloaded/api-unreachable",
  ],
  [
    "Could not refresh your login because another Claude Code process is refreshing it",
    "wrapper-error/refresh-busy",
  ],
  ["Could not refresh your login: the disk at /home is full", "wrapper-error/disk-full"],
  [
    "--dangerously-skip-permissions cannot be used with root/sudo privileges",
    "wrapper-error/root-flag",
  ],
  ["There's an issue with the selected model (sonnet)", "wrapper-error/model"],
  ["Claude Opus is not available with the Claude Pro plan", "wrapper-error/model"],
  ["/bin/sh: 1: claude: not found", "wrapper-error/client-missing"],
  ["Claude Code authentication failed", "not-logged-in"],
];

describe("every message is recognised", () => {
  test.each(TEXTS)("%s", (text, expected) => {
    expect({
      "in a reply": named(judge(200, reply(text))),
      "without JSON": named(judge(200, text)),
      "in another field": named(judge(200, { error: { nested: [text] } })),
      "in a 500": named(judge(500, { detail: text })),
      "in a page of a 502": named(judge(502, `<html>${"x".repeat(1000)} ${text}</html>`)),
      "in a long result": named(
        judge(200, { is_error: true, subtype: "success", result: text, usage: "x".repeat(2000) }),
      ),
    }).toEqual({
      "in a reply": expected,
      "without JSON": expected,
      "in another field": expected,
      "in a 500": expected,
      "in a page of a 502": expected,
      "in a long result": expected,
    });
  });
});

describe("a mangled separator is still one", () => {
  test.each(["·", " · ", "\uFFFD", "?", "В·", " В· ", "∙", "Â·", "\\u00b7", "&middot;", "\n"])(
    "%j",
    (separator) => {
      const text = `Invalid API key${separator}Fix external API key`;
      expect(named(judge(200, reply(text)))).toBe("external-key-invalid");
    },
  );

  test("raw Latin-1 bytes", () => {
    const body = Buffer.from(
      JSON.stringify(reply("Invalid API key · Fix external API key")),
      "latin1",
    );
    const verdict = judgeReply({ status: 200, headers: {}, body, truncated: false }, CHAT, NONCE);
    expect(verdict.class).toBe("external-key-invalid");
  });
});

describe("it passes when", () => {
  test.each([
    ["the nonce alone comes back", reply(NONCE)],
    ["a model adds words", reply(`Sure! ${NONCE}.`)],
    ["a model capitalises", reply(NONCE.toUpperCase())],
    ["a model repeats the question and then answers", reply(`${renderPrompt(NONCE)}\n${NONCE}`)],
    [
      "a model quotes an error beside it",
      reply(`${NONCE}, not "Invalid API key · Fix external API key"`),
    ],
    ["the wrapper calls it content", { content: NONCE, success: true }],
    ["a result says is_error false", { result: NONCE, is_error: false, subtype: "success" }],
  ])("%s", (_, json) => {
    expect(judge(200, json).class).toBe("pass");
  });

  test("the JSON hides behind a byte order mark", () => {
    expect(judge(200, `\uFEFF${JSON.stringify(reply(NONCE))}`).class).toBe("pass");
  });

  test("each preset finds it", () => {
    const inOpenai = { choices: [{ message: { content: NONCE } }] };
    expect(judge(201, inOpenai, { preset: "openai" }).class).toBe("pass");
    expect(judge(200, { content: [{ text: NONCE }] }, { preset: "anthropic" }).class).toBe("pass");
  });
});

describe("it never passes when", () => {
  test.each<[string, number, unknown, Named]>([
    ["the status is an error", 500, reply(NONCE), "wrapper-error"],
    ["the nonce stands elsewhere", 200, { id: NONCE }, "not-a-wrapper"],
    ["the nonce comes without JSON", 200, NONCE, "not-a-wrapper"],
    ["an echo answers", 200, reply(renderPrompt(NONCE)), "pass"],
    [
      "an error quotes the question",
      200,
      reply(`Command failed: claude -p ${renderPrompt(NONCE)}`),
      "unexpected-reply",
    ],
    ["the answer is canned", 200, reply("TEST"), "unexpected-reply"],
    ["the answer is empty", 200, reply(""), "unexpected-reply/empty-reply"],
    ["the result is an error", 200, { result: NONCE, is_error: true }, "wrapper-error"],
    [
      "the result ran into a limit",
      200,
      { result: NONCE, subtype: "error_max_turns" },
      "wrapper-error",
    ],
    [
      "the message is the client's own",
      200,
      { content: NONCE, model: "<synthetic>" },
      "wrapper-error",
    ],
    ["it says so itself", 200, { content: NONCE, is_api_error_message: true }, "wrapper-error"],
  ])("%s", (_, status, said, expected) => {
    expect(named(judge(status, said))).toBe(expected);
  });

  test("the reply is cut off", () => {
    const body = Buffer.from(JSON.stringify(reply(NONCE)));
    const cut = { status: 200, headers: {}, body, truncated: true };
    expect(judgeReply(cut, CHAT, NONCE).class).toBe("unexpected-reply");
  });

  test("the reply is compressed", () => {
    const body = Buffer.from(JSON.stringify(reply(NONCE)));
    const gzip = { status: 200, headers: { "content-encoding": "gzip" }, body, truncated: false };
    expect(judgeReply(gzip, CHAT, NONCE).class).toBe("unexpected-reply");
    const plain = { ...gzip, headers: { "content-encoding": "identity" } };
    expect(judgeReply(plain, CHAT, NONCE).class).toBe("pass");
  });
});

describe("the wrapper's own refusal is not Claude's", () => {
  test.each<[number, unknown, Named]>([
    [401, { detail: "Not authenticated" }, "wrapper-auth"],
    [403, { detail: "Not authenticated" }, "wrapper-auth"],
    [401, { detail: "Invalid authentication credentials" }, "wrapper-auth"],
    [401, { detail: "Invalid bearer token" }, "wrapper-auth"],
    [
      401,
      { error: { message: "Invalid API key", type: "api_error", code: "401" } },
      "wrapper-auth",
    ],
    [
      401,
      { error: { message: "Missing API key", type: "api_error", code: "401" } },
      "wrapper-auth",
    ],
    [401, apiError("authentication_error", "Invalid API key"), "wrapper-auth"],
    [401, "Unauthorized", "wrapper-auth"],
    [403, "<h1>403 Forbidden</h1>", "wrapper-auth"],
    [401, { detail: "Invalid API key · Fix external API key" }, "external-key-invalid"],
    [403, { detail: "Not logged in · Please run /login" }, "not-logged-in"],
    [401, { detail: "API Error: 401 Invalid bearer token" }, "token-invalid"],
    [401, apiError("authentication_error", "Invalid bearer token"), "token-invalid"],
    [401, apiError("authentication_error", "invalid x-api-key"), "external-key-invalid"],
    [403, apiError("permission_error", "OAuth token has been revoked."), "token-revoked"],
    [
      403,
      { error: { type: "forbidden", message: "Request not allowed" } },
      "org-disabled/forbidden",
    ],
    [200, reply("Invalid API key"), "external-key-invalid"],
  ])("%i %j: %s", (status, said, expected) => {
    expect(named(judge(status, said))).toBe(expected);
  });
});

describe("structured fields decide where no text does", () => {
  test.each<[number, unknown, Named]>([
    [401, apiError("authentication_error", "new words"), "token-invalid"],
    [403, apiError("permission_error", "new words"), "org-disabled/forbidden"],
    [400, apiError("billing_error", "new words"), "billing"],
    [429, apiError("rate_limit_error", "new words"), "rate-limited"],
    [529, apiError("overloaded_error", "new words"), "overloaded"],
    [500, apiError("api_error", "new words"), "overloaded"],
    [504, apiError("timeout_error", "new words"), "overloaded"],
    [404, apiError("not_found_error", "model: x"), "wrapper-error/model"],
    [400, apiError("invalid_request_error", "new words"), "wrapper-error/request-rejected"],
    [200, { is_error: true, error: "authentication_failed" }, "token-invalid"],
    [200, { error: "oauth_org_not_allowed", result: "?" }, "org-disabled/subscription-disabled"],
    [200, { is_error: true, error: "server_error", result: "?" }, "overloaded"],
    [200, { is_error: true, terminal_reason: "blocking_limit", result: "?" }, "usage-limit"],
    [200, { is_error: true, api_error_status: 401, result: "?" }, "token-invalid"],
    [200, { is_error: true, api_error_status: 403, result: "?" }, "org-disabled/forbidden"],
    [200, { is_error: true, api_error_status: 429, result: "?" }, "rate-limited"],
    [200, { is_error: true, api_error_status: 529, result: "?" }, "overloaded"],
    [200, [{ type: "system" }, { is_error: true, api_error_status: 401 }], "token-invalid"],
    [500, { error: { message: "boom", type: "api_error" } }, "wrapper-error"],
  ])("%i %j: %s", (status, said, expected) => {
    expect(named(judge(status, said))).toBe(expected);
  });
});

describe("a bare status decides last", () => {
  test.each<[number, Named]>([
    [100, "not-a-wrapper"],
    [204, "not-a-wrapper"],
    [301, "not-a-wrapper"],
    [400, "wrapper-error/request-rejected"],
    [404, "not-a-wrapper"],
    [405, "not-a-wrapper"],
    [422, "wrapper-error/request-rejected"],
    [429, "rate-limited"],
    [500, "wrapper-error"],
    [502, "wrapper-error/unavailable"],
    [503, "wrapper-error/unavailable"],
    [504, "wrapper-error/unavailable"],
    [529, "overloaded"],
  ])("%i: %s", (status, expected) => {
    expect(named(judge(status, ""))).toBe(expected);
  });
});

test("a long answer that talks about errors is no error", () => {
  const essay = `The text "Not logged in · Please run /login" means … ${"word ".repeat(200)}`;
  expect(judge(200, reply(essay)).class).toBe("unexpected-reply");
});

test.each<[FailureKind, VerdictClass]>([
  ["refused", "not-running"],
  ["timeout", "timeout"],
  ["reset", "wrapper-error"],
  ["redirect", "not-a-wrapper"],
  ["too-large", "unexpected-reply"],
  ["encoded", "unexpected-reply"],
  ["not-http", "not-a-wrapper"],
])("a failure of kind %s is %s", (kind, expected) => {
  expect(judgeFailure(kind).class).toBe(expected);
});

describe("the detail", () => {
  test("shows what was said, with the status of an error", () => {
    expect(judge(200, reply("TEST")).detail).toBe("TEST");
    expect(judge(503, { detail: "warming up" }).detail).toBe("HTTP 503: warming up");
    expect(judge(500, "").detail).toBe("HTTP 500: (empty)");
  });

  test("starts at the message when that stands far inside", () => {
    const page = `${"x".repeat(500)} Not logged in · Please run /login`;
    expect(judge(500, page).detail).toBe("HTTP 500: Not logged in · Please run /login");
  });

  test("holds neither escape sequences nor tokens", () => {
    const { detail } = judge(200, reply("\u001B[31mred\u001B[0m sk-ant-oat01-abcdefghijkl"));
    expect(detail).toBe("red [redacted]");
  });
});

test("a usage limit says when it resets, where the reply has it in seconds", () => {
  expect(judge(200, reply("Claude AI usage limit reached|1760000400")).resetAt).toBe(
    1760000400_000,
  );
  expect(judge(200, reply("You've hit your limit · resets 3pm"))).not.toHaveProperty("resetAt");
});

describe("what follows from a class", () => {
  const classes = Object.keys(FINDINGS).filter(isClass);
  const whichRollBack = (rollBack: string) =>
    classes.filter((verdictClass) => explain(verdictClass).rollBack === rollBack).sort();

  test("which roll back", () => {
    expect(whichRollBack("never")).toEqual(["healthy", "pass", "usage-limit"]);
    expect(whichRollBack("always")).toEqual([
      "external-key-invalid",
      "not-logged-in",
      "not-running",
      "org-disabled",
      "token-expired",
      "token-invalid",
      "token-revoked",
    ]);
  });

  test("which are worth asking again", () => {
    expect(classes.filter((verdictClass) => explain(verdictClass).retry)).toEqual([
      "rate-limited",
      "overloaded",
    ]);
    expect(explain("wrapper-error", "unavailable").retry).toBe(true);
  });

  test("each but pass says what to do", () => {
    expect(classes.filter((verdictClass) => explain(verdictClass).next.length === 0)).toEqual([
      "pass",
    ]);
  });

  test("a hint changes the words and not the decision", () => {
    const { meaning, rollBack } = explain("external-key-invalid", "helper-failing");
    expect(meaning).toContain("apiKeyHelper script");
    expect(rollBack).toBe("always");
  });
});

describe("whatever arrives", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array)),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record({
        response: fc.oneof(fc.string(), fc.constant(`x ${NONCE}`)),
        is_error: fc.boolean(),
      })
      .map((json) => Buffer.from(JSON.stringify(json))),
    fc.constantFrom(...TEXTS.map(([text]) => Buffer.from(JSON.stringify(reply(text))))),
  );
  const headers = fc.dictionary(
    fc.constantFrom("content-encoding", "location", "content-type"),
    fc.string(),
  );
  const chats = fc.constantFrom<Chat>(
    { preset: "chat" },
    { preset: "openai" },
    { preset: "anthropic" },
  );

  test("there is a verdict, and a pass holds the nonce in a 2xx", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(200, 201, 299, 401, 403, 500), fc.integer()),
        headers,
        bytes,
        fc.boolean(),
        chats,
        (status, fields, body, truncated, chat) => {
          const verdict = judgeReply({ status, headers: fields, body, truncated }, chat, NONCE);
          expect(FINDINGS).toHaveProperty(verdict.class);
          expect(verdict.detail.length).toBeLessThanOrEqual(120);
          if (verdict.class !== "pass") return;
          expect(status >= 200 && status < 300 && !truncated).toBe(true);
          expect(readReply(chat, JSON.parse(body.toString("utf8")))?.toLowerCase()).toContain(
            NONCE,
          );
        },
      ),
    );
  });

  test("a deep or crowded body is judged all the same", () => {
    expect(judge(500, "[".repeat(100_000) + "]".repeat(100_000)).class).toBe("wrapper-error");
    expect(judge(401, `[${'"a",'.repeat(60_000)}"a"]`).class).toBe("wrapper-auth");
  });
});
