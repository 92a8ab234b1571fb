import { expect, test } from "vitest";
import { checkLaptopMethods } from "../../../src/doctor/laptop-methods.ts";

function check(env: Record<string, string>, files: Record<string, string> = {}) {
  const read = new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]));
  const checks = checkLaptopMethods({ env, files: read });
  expect(JSON.stringify(checks)).not.toContain("CANARY");
  return checks.map(({ mark, exit, what, cure }) => ({ mark, exit, what, cure }));
}

test("nothing outranks the login; an empty variable neither", () => {
  expect(check({ PATH: "/bin", ANTHROPIC_API_KEY: "" })).toMatchObject([{ mark: "ok", exit: 0 }]);
});

test("a variable of this shell is named with the line that sets it", () => {
  const files = { "/home/ann/.zshrc": "# keys\nexport ANTHROPIC_API_KEY=sk-ant-api03-CANARY\n" };
  expect(check({ ANTHROPIC_API_KEY: "sk-ant-api03-CANARY" }, files)).toEqual([
    {
      mark: "warn",
      exit: 14,
      what: "ANTHROPIC_API_KEY in this shell's environment and /home/ann/.zshrc, line 2 outranks the login",
      cure: [
        "Take ANTHROPIC_API_KEY out of /home/ann/.zshrc, line 2, then `unset ANTHROPIC_API_KEY`",
      ],
    },
  ]);
});

test("settings are named with their lines, and those that cannot be read are told", () => {
  const settings =
    '{\n  "apiKeyHelper": "get-key",\n  "env": {\n    "CLAUDE_CODE_OAUTH_TOKEN": "CANARY"\n  }\n}';
  const found = check(
    {},
    { "/home/ann/.claude/settings.json": settings, "/etc/managed.json": "{" },
  );
  expect(found.map(({ mark, what }) => `${mark}: ${what}`)).toEqual([
    "warn: CLAUDE_CODE_OAUTH_TOKEN in /home/ann/.claude/settings.json, line 4 outranks the login",
    "warn: apiKeyHelper in /home/ann/.claude/settings.json, line 2 outranks the login",
    "note: /etc/managed.json: Claude Code cannot read it: it ends in the middle of its JSON",
  ]);
});
