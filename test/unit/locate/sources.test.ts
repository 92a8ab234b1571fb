import { describe, expect, test } from "vitest";
import { keychainService, listSources } from "../../../src/locate/sources.ts";

const ANN = { platform: "linux", env: {}, home: "/home/ann", cwd: "/work" } as const;

describe("the places, best first", () => {
  test("without variables: home, then what old versions used", () => {
    expect(pathsOf({})).toEqual([
      "/home/ann/.claude/.credentials.json",
      "/home/ann/.config/claude/.credentials.json",
      "/home/ann/.config/claude-code/auth.json",
    ]);
  });

  test("an XDG directory of one's own comes before the usual one", () => {
    expect(pathsOf({ XDG_CONFIG_HOME: "/xdg" })[1]).toBe("/xdg/claude/.credentials.json");
    expect(pathsOf({ XDG_CONFIG_HOME: "/home/ann/.config" })).toHaveLength(3);
  });

  test.each<[string, Record<string, string>, string]>([
    ["CLAUDE_CONFIG_DIR decides alone", { CLAUDE_CONFIG_DIR: "/x" }, "/x/.credentials.json"],
    [
      "CLAUDE_SECURESTORAGE_CONFIG_DIR wins over it",
      { CLAUDE_CONFIG_DIR: "/x", CLAUDE_SECURESTORAGE_CONFIG_DIR: "/y" },
      "/y/.credentials.json",
    ],
    ["a relative one starts here", { CLAUDE_CONFIG_DIR: "../x" }, "/x/.credentials.json"],
    ["é is composed", { CLAUDE_CONFIG_DIR: "/e\u0301" }, "/\u00e9/.credentials.json"],
  ])("%s", (_, env, path) => {
    expect(pathsOf(env)).toEqual([path]);
  });

  test.each<[string, Record<string, string>]>([
    [
      "a secure store that is set but empty is the default one",
      { CLAUDE_CONFIG_DIR: "/x", CLAUDE_SECURESTORAGE_CONFIG_DIR: "" },
    ],
    ["an empty CLAUDE_CONFIG_DIR says nothing", { CLAUDE_CONFIG_DIR: "" }],
  ])("%s", (_, env) => {
    expect(pathsOf(env)).toHaveLength(3);
  });

  test("on Windows they are spelled the Windows way", () => {
    const windows = { platform: "win32", env: {}, home: "C:\\Users\\ann", cwd: "C:\\" } as const;
    expect(listSources(windows)[0]).toMatchObject({
      path: "C:\\Users\\ann\\.claude\\.credentials.json",
      label: "~\\.claude\\.credentials.json",
    });
  });

  test.each<[NodeJS.Platform, Record<string, string>, string, string]>([
    ["win32", {}, "C:\\Users\\Ümit\\.claude\\.credentials.json", "~\\.claude\\.credentials.json"],
    [
      "win32",
      { CLAUDE_CONFIG_DIR: "D:\\Claude" },
      "D:\\Claude\\.credentials.json",
      "D:\\Claude\\.credentials.json (CLAUDE_CONFIG_DIR)",
    ],
    [
      "win32",
      { CLAUDE_CONFIG_DIR: "D:\\Claude", CLAUDE_SECURESTORAGE_CONFIG_DIR: "" },
      "C:\\Users\\Ümit\\.claude\\.credentials.json",
      "~\\.claude\\.credentials.json",
    ],
    ["darwin", {}, "/Users/ümit/.claude/.credentials.json", "~/.claude/.credentials.json"],
    [
      "darwin",
      { CLAUDE_CONFIG_DIR: "/x", CLAUDE_SECURESTORAGE_CONFIG_DIR: "/Users/ümit/store" },
      "/Users/ümit/store/.credentials.json",
      "~/store/.credentials.json (CLAUDE_SECURESTORAGE_CONFIG_DIR)",
    ],
    [
      "darwin",
      { CLAUDE_CONFIG_DIR: "/x", CLAUDE_SECURESTORAGE_CONFIG_DIR: "" },
      "/Users/ümit/.claude/.credentials.json",
      "~/.claude/.credentials.json",
    ],
  ])("of Ümit on %s with %j", (platform, env, path, label) => {
    const [home, cwd] =
      platform === "win32" ? ["C:\\Users\\Ümit", "C:\\"] : ["/Users/ümit", "/tmp"];
    expect(listSources({ platform, env, home, cwd })[0]).toMatchObject({ path, label });
  });

  test("labels are short and name the variable", () => {
    const env = { CLAUDE_CONFIG_DIR: "/home/ann/two" };
    expect(listSources({ ...ANN, env })[0]).toMatchObject({
      label: "~/two/.credentials.json (CLAUDE_CONFIG_DIR)",
      directory: "/home/ann/two",
    });
  });
});

test("the Keychain item of a directory of one's own has the hash of its name as spelled", () => {
  expect(keychainService({})).toBe("Claude Code-credentials");
  // printf /tmp/x | sha256sum
  expect(keychainService({ CLAUDE_CONFIG_DIR: "/tmp/x" })).toBe("Claude Code-credentials-2e56aa36");
});

function pathsOf(env: Record<string, string>): string[] {
  return listSources({ ...ANN, env }).map(({ path }) => path);
}
