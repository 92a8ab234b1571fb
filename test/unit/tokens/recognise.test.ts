import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { Secret } from "../../../src/secret.ts";
import { classifyToken, recogniseToken } from "../../../src/tokens/recognise.ts";
import { fakeSetupToken, setupFrame, wrapped } from "../../support/setup-token.ts";

const TOKEN = fakeSetupToken();
const KEY = "sk-ant-api03-CANARYkey-0123456789_abc";
const ESC = "\u001B";

test.each([
  [TOKEN, "setup-token"],
  [KEY, "api-key"],
  ["sk-ant-ort01-CANARYrefresh", "refresh-token"],
  ["sk-ant-admin01-CANARYadmin", "other"],
  ["hunter2", "other"],
])("%s is of the kind %s", (value, kind) => {
  expect(classifyToken(new Secret(value))).toBe(kind);
});

describe("the token is taken out of", () => {
  test.each<[string, string, string, boolean]>([
    ["the output of setup-token", setupFrame(TOKEN), TOKEN, true],
    ["that output, broken at 80 columns", wrapped(setupFrame(TOKEN), 80), TOKEN, true],
    ["that output, broken at 40 columns", wrapped(setupFrame(TOKEN), 40), TOKEN, true],
    ["that output, broken where the token ends", wrapped(setupFrame(TOKEN), 54), TOKEN, true],
    ["that output, indented and broken", wrapped(setupFrame(TOKEN), 76, "  "), TOKEN, true],
    ["that output with CR LF", setupFrame(TOKEN).replaceAll("\n", "\r\n"), TOKEN, true],
    ["that output in a box", boxed(setupFrame(TOKEN)), TOKEN, true],
    ["that output in colour", coloured(setupFrame(TOKEN)), TOKEN, true],
    ["that output, drawn several times over", drawnTwice(setupFrame(TOKEN)), TOKEN, true],
    ["a bare token", TOKEN, TOKEN, false],
    ["a bare token and a word on the next line", `${TOKEN}\nDone`, TOKEN, false],
    ["a bare token broken at 80 columns", wrapped(TOKEN, 80), TOKEN, false],
    ["an assignment", `export CLAUDE_CODE_OAUTH_TOKEN="${TOKEN}"\n`, TOKEN, false],
    ["a sentence", `The token is ${TOKEN}.`, TOKEN, false],
    ["the same token twice", `${TOKEN}\n\n${TOKEN}\n`, TOKEN, false],
    ["an API key", `  ${KEY}\n`, KEY, false],
    ["another secret", "hunter2\n", "hunter2", false],
    ["another secret with a space", "correct horse\r\n", "correct horse", false],
  ])("%s", (_, text, value, isFromSetup) => {
    const recognised = recogniseToken(new Secret(text));
    expect(recognised.secret.reveal()).toBe(value);
    expect(recognised).toMatchObject({ isFromSetup, length: value.length });
    expect(recognised.kind).toBe(classifyToken(recognised.secret));
  });

  test("at any width of the terminal", () => {
    for (let columns = 24; columns <= 130; columns++) {
      const text = wrapped(setupFrame(TOKEN), columns);
      expect(recogniseToken(new Secret(text)).secret.reveal(), `${columns} columns`).toBe(TOKEN);
    }
  });
});

test.each([
  ["", "no token came"],
  [" \n\t\n", "no token came"],
  [`${TOKEN} ${fakeSetupToken("b")}`, "the text holds 2 different tokens"],
  [`${TOKEN}\n${KEY}`, "the text holds 2 different tokens"],
  ["sk-ant-ort01-CANARYrefresh-0001", "that is a refresh token"],
  [`${TOKEN}\nsk-ant-ort01-CANARYrefresh-0001`, "that is a refresh token"],
  [`{"claudeAiOauth":{"accessToken":"${TOKEN}"}}`, "that is a credentials file"],
  ["sk-ant-oat01-placeholder-0001", "that is a placeholder"],
  ["sk-ant-oat01-CANARY...", "the token is not whole"],
  ["sk-ant-oat01-CANARY0123456…", "the token is not whole"],
  ["sk-ant-oat01-CANARY0123456****", "the token is not whole"],
  ["sk-ant-oat01-CAN", "the token is not whole"],
  ["sk-ant-", "the token is not whole"],
  ["<token>", "that is a placeholder"],
  ["$CLAUDE_CODE_OAUTH_TOKEN", "that is a placeholder"],
  ["your-api-key-here", "that is a placeholder"],
  ["xxxxxxxx", "that is a placeholder"],
  ["********", "that is a placeholder"],
  ["CANARY\u0000b", "the text holds control characters"],
  [`sk-ant-oat01-CANARY0123\u0000${"4".repeat(30)}`, "the text holds control characters"],
  ["CANARY\u0085", "the text holds control characters"],
  ["CANARY\u2026", "the secret holds characters that cannot be sent"],
  ["CANARY\nCANARY", "there is no token of Claude in these 2 lines"],
  ["CANARY".repeat(4000), "that is too much to be a secret"],
])("%j is refused", (text, what) => {
  const failure = catchError(() => recogniseToken(new Secret(text)));
  expect(failure).toMatchObject({
    code: "TOKEN_UNUSABLE",
    message: what,
    why: expect.stringMatching(/; nothing was stored$/),
  });
  expect(inspect(failure, { depth: 9 }).replace(/at .*\n/g, "")).not.toContain("CANARY");
});

function catchError(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

function boxed(text: string): string {
  return text
    .split("\n")
    .map((line) => `│ ${line.padEnd(110)} │`)
    .join("\n");
}

function coloured(text: string): string {
  return text
    .split("\n")
    .map((line) => `${ESC}[2K${ESC}[38;5;33m${line}${ESC}[39m${ESC}[0K`)
    .join("\n");
}

/** As Ink draws a frame anew: it goes up line by line, erasing. */
function drawnTwice(text: string): string {
  const up = `${ESC}[2K${ESC}[1A`.repeat(text.split("\n").length);
  return `${ESC}[?25l${ESC}]0;claude\u0007${text}${up}${ESC}[G${text}${ESC}[?25h`;
}
