import { expect, test } from "vitest";
import {
  environmentForLogin,
  findOutranking,
  managedSettingsPath,
  userSettingsPath,
} from "../../../src/renew/surroundings.ts";
import { fakePorts } from "../../support/fake-ports.ts";

test("what outranks the login is taken out and named; empty variables count for nothing", () => {
  const env = {
    PATH: "/bin",
    ANTHROPIC_API_KEY: "CANARY",
    ANTHROPIC_AUTH_TOKEN: "",
    CLAUDE_CODE_USE_BEDROCK: "1",
    CLAUDE_CONFIG_DIR: "/x",
    CLAUDECODE: "1",
  };
  expect(environmentForLogin(env)).toEqual({
    env: { PATH: "/bin", CLAUDE_CONFIG_DIR: "/x" },
    removed: ["CLAUDE_CODE_USE_BEDROCK", "ANTHROPIC_API_KEY"],
  });
});

test.each([
  ['{"apiKeyHelper":"echo no"}', ["apiKeyHelper"]],
  ['{"env":{"ANTHROPIC_API_KEY":"a","HTTPS_PROXY":"b"}}', ["ANTHROPIC_API_KEY"]],
  ['{"env":{"ANTHROPIC_API_KEY":""},"apiKeyHelper":null}', []],
  ['{"env":[]}', []],
  ["[]", []],
  ['{"apiKeyHelper":', []],
  ["", []],
])("of %s in settings.json these outrank it: %j", (text, names) => {
  expect(findOutranking(Buffer.from(text))).toEqual(names);
});

test.each([
  [{}, "/home/ann/.claude/settings.json"],
  [{ CLAUDE_CONFIG_DIR: "/x" }, "/x/settings.json"],
  [{ CLAUDE_CONFIG_DIR: "x" }, "/home/ann/hosts/x/settings.json"],
])("with %j the user's settings are %s", (env, path) => {
  expect(userSettingsPath(fakePorts({ env }))).toBe(path);
});

test.each<[NodeJS.Platform, string]>([
  ["linux", "/etc/claude-code/managed-settings.json"],
  ["darwin", "/Library/Application Support/ClaudeCode/managed-settings.json"],
  ["win32", "C:\\Program Files\\ClaudeCode\\managed-settings.json"],
])("on %s the administrator's are %s", (platform, path) => {
  expect(managedSettingsPath({ platform })).toBe(path);
});
