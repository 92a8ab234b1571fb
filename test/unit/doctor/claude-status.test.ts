import { describe, expect, test } from "vitest";
import { checkClaudeStatus, parseClaudeStatus } from "../../../src/doctor/claude-status.ts";

const bytes = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

describe("what `claude auth status` prints", () => {
  test("is read for the method and the source of a key", () => {
    const status = {
      loggedIn: true,
      authMethod: "api_key",
      apiKeySource: "ANTHROPIC_API_KEY",
      email: "x",
    };
    expect(parseClaudeStatus(bytes(status))).toEqual({
      loggedIn: true,
      method: "api_key",
      keySource: "ANTHROPIC_API_KEY",
    });
  });

  test.each([
    "",
    "null",
    "[]",
    "Not logged in",
    '{"loggedIn":"yes","authMethod":"x"}',
    '{"loggedIn":true}',
    "\u00ff",
  ])("%j says nothing", (text) => {
    expect(parseClaudeStatus(Buffer.from(text, "latin1"))).toBeUndefined();
  });
});

describe("the cross-check", () => {
  const login = bytes({ loggedIn: true, authMethod: "claude.ai" });
  const key = bytes({ loggedIn: true, authMethod: "api_key", apiKeySource: "/login managed key" });

  test("agrees with the delivery", () => {
    expect(checkClaudeStatus(login, "file", false).mark).toBe("ok");
    expect(checkClaudeStatus(key, "key-variable", false).mark).toBe("ok");
  });
  test("confirms what was found to outrank it", () => {
    expect(checkClaudeStatus(key, "file", true)).toMatchObject({ mark: "note", exit: 0 });
  });
  test("finds what nothing else has found", () => {
    const check = checkClaudeStatus(key, "file", false);
    expect(check).toMatchObject({ mark: "warn", exit: 14 });
    expect(check.what).toContain("would use api_key from /login managed key, not claude.ai");
  });
  test("an answer that cannot be read proves nothing", () => {
    expect(checkClaudeStatus(bytes("?"), "file", false)).toMatchObject({ mark: "note", exit: 0 });
  });
});
