import { expect, test } from "vitest";
import { explainShadows } from "../../../src/probe/shadows.ts";
import type { ShadowFact } from "../../../src/remote/probe-report.ts";

const key: ShadowFact = { name: "ANTHROPIC_API_KEY", place: "process", value: "api-key" };
const token: ShadowFact = {
  name: "CLAUDE_CODE_OAUTH_TOKEN",
  place: "process",
  value: "oauth-token",
};
const helper: ShadowFact = { name: "apiKeyHelper", place: "settings.json", value: "set" };

const REMOVE_KEY =
  "Remove ANTHROPIC_API_KEY where the wrapper is started (unit file, env file, start script), then push again";
const REMOVE_HELPER =
  "Remove apiKeyHelper from Claude's settings.json on the host, then push again";

test("nothing outranks the file: nothing to say", () => {
  expect(explainShadows([])).toBeUndefined();
});

test.each<[string, ShadowFact[], string, string[]]>([
  [
    "a variable",
    [key],
    "ANTHROPIC_API_KEY in the wrapper's environment outranks the credentials file",
    [REMOVE_KEY],
  ],
  [
    "a setting",
    [helper],
    "apiKeyHelper in settings.json on the host outranks the credentials file",
    [REMOVE_HELPER],
  ],
  [
    "all three",
    [key, token, helper],
    "ANTHROPIC_API_KEY in the wrapper's environment, CLAUDE_CODE_OAUTH_TOKEN in the wrapper's environment (it holds an OAuth token) and apiKeyHelper in settings.json on the host outrank the credentials file",
    [REMOVE_KEY, REMOVE_KEY.replace("ANTHROPIC_API_KEY", token.name), REMOVE_HELPER],
  ],
])("%s: it is named with its place and its cure", (_, shadows, why, next) => {
  expect(explainShadows(shadows)).toEqual({ why, next });
});
