import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { redact, sanitize } from "../../../src/output/sanitize.ts";
import { Secret } from "../../../src/secret.ts";

const line = (text: string) => sanitize(text, { maxLength: 80 });

describe("one line", () => {
  test.each([
    ["plain text stays", "naïve · 日本 🙂", "naïve · 日本 🙂"],
    ["colours", "\u001B[1;31mred\u001B[0m", "red"],
    ["cursor moves", "a\u001B[2K\u001B[1Ab", "ab"],
    ["a title", "\u001B]0;owned\u0007after", "after"],
    ["a link", "\u001B]8;;http://x\u001B\\text\u001B]8;;\u001B\\", "text"],
    ["an unterminated title, to the end of its line", "a\u001B]0;owned\nb", "a b"],
    ["a device string", "\u001BPq#0\u001B\\after", "after"],
    ["one-byte controls", "\u009B31mred\u0090x\u009Cafter", "redafter"],
    ["short escapes", "\u001Bc\u001B(Bafter\u001B", "after"],
    ["nested escapes", "\u001B[\u001B[31mx", "x"],
    ["bells, backspaces, NUL, DEL", "a\u0007b\u0008c\u0000d\u007Fe\u0085f", "abcdef"],
    ["bidi controls", "a\u202Eb\u2066c\u200F", "abc"],
    ["zero-width characters", "a\u200Bb\u200Dc\uFEFFd\u2060e", "abcde"],
    ["invisible tags and fillers", "a\u{E0041}b\u3164c", "abc"],
    ["lone surrogates", "a\uD800b", "ab"],
    ["line breaks become spaces", "a\r\nb\rc\n\nd\u2028e\u2029f", "a b c d e f"],
    ["tabs become spaces", "a\tb", "a b"],
    ["surrounding space", "  a  ", "a"],
    ["access tokens", "x sk-ant-oat01-AbC_d-efgh y", "x [redacted] y"],
    ["API keys in quotes", '"sk-ant-api03-abcdefgh"', '"[redacted]"'],
    ["a token cut by an escape", "sk-ant-\u001B[0moat01-abcdefgh", "[redacted]"],
    ["a token cut by a zero-width space", "sk-ant-ort01\u200B-abcdefgh", "[redacted]"],
    ["what only looks like one", "sk-ant-x sk-ant-oat01-abc", "sk-ant-x sk-ant-oat01-abc"],
  ])("%s", (_, text, expected) => {
    expect(line(text)).toBe(expected);
  });

  test("too long a line ends with an ellipsis", () => {
    expect(sanitize("abcdef", { maxLength: 4 })).toBe("abc…");
    expect(sanitize("abcd", { maxLength: 4 })).toBe("abcd");
  });

  test("a character is never cut in half", () => {
    expect(sanitize("ab🙂🙂", { maxLength: 4 })).toBe("ab…");
  });
});

test("several lines keep their breaks, up to the limit, each line capped", () => {
  expect(sanitize("one\r\n\u001B[1mtwo\nthree is long\nfour", { maxLength: 6, maxLines: 3 })).toBe(
    "one\ntwo\nthree…",
  );
});

describe("for any text", () => {
  const hostile = fc
    .array(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.constantFrom("\u001B", "\u001B[", "\u001B]0;", "\u0007", "\u009B", "\n", "\r", "\u2028"),
        fc.constantFrom("sk-ant-", "oat01-abcdefgh", "\u200B", "\u202E", "\uD83D", "\uDE42", "  "),
      ),
    )
    .map((parts) => parts.join(""));
  const limits = fc.record({
    maxLength: fc.integer({ min: 1, max: 60 }),
    maxLines: fc.integer({ min: 1, max: 5 }),
  });

  test("sanitizing twice changes nothing more", () => {
    fc.assert(
      fc.property(hostile, limits, (text, limit) => {
        const once = sanitize(text, limit);
        expect(sanitize(once, limit)).toBe(once);
      }),
    );
  });

  test("the result is bounded, free of controls and of tokens", () => {
    fc.assert(
      fc.property(hostile, limits, (text, limit) => {
        const result = sanitize(text, limit);
        const lines = result.split("\n");
        expect(lines.length).toBeLessThanOrEqual(limit.maxLines);
        expect(Math.max(...lines.map((each) => each.length))).toBeLessThanOrEqual(limit.maxLength);
        expect(result.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(result).not.toMatch(/sk-ant-[a-z]+\d\d-[A-Za-z0-9_-]{6,}/);
      }),
    );
  });
});

describe("redact removes a known secret", () => {
  const value = 'pa"ss/w+ö rd?\n1';
  const secret = new Secret(value);

  test.each([
    ["plain", value],
    ["in JSON", JSON.stringify(value).slice(1, -1)],
    ["in a URL", encodeURIComponent(value)],
    ["in base64", Buffer.from(value).toString("base64")],
    ["in base64url", Buffer.from(value).toString("base64url")],
  ])("%s", (_, spelled) => {
    expect(redact(`<${spelled}>`, [secret])).toMatch(/^<\[redacted\]=*>$/);
  });

  test("wherever it stands, and the longer of two first", () => {
    const secrets = [new Secret("bearer-1"), new Secret("bearer-1-long")];
    expect(redact("bearer-1-long bearer-1", secrets)).toBe("[redacted] [redacted]");
  });

  test("and leaves a text alone that holds none", () => {
    expect(redact("hello", [secret, new Secret("")])).toBe("hello");
  });

  test("whatever it is made of", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 12 }), fc.string(), (text, around) => {
        expect(redact(`${around}${text}${around}`, [new Secret(text)])).not.toContain(text);
      }),
    );
  });
});
