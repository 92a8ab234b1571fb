import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { editOnce } from "../../../src/edits/edit-once.ts";
import type { Replacement } from "../../../src/edits/edit-once.ts";

const PROVIDER = { find: '"provider": "claude"', put: '"provider": "perplexity"' };
const WITH_NOTE = { find: "p = 1", put: "p = 2  # was: p = 1" };
const SHORTER = { find: "p = 1  # not 2", put: "p = 1" };

describe("an edit is made, and undone", () => {
  test.each<[string, Replacement, string, string]>([
    [
      "where the text stands once",
      PROVIDER,
      'A = {"provider": "claude"}\nB = "claude"\n',
      'A = {"provider": "perplexity"}\nB = "claude"\n',
    ],
    ["where the new text holds the old one", WITH_NOTE, "p = 1\n", "p = 2  # was: p = 1\n"],
    ["where the old text holds the new one", SHORTER, "p = 1  # not 2\n", "p = 1\n"],
    ["over several lines", { find: "a\nb", put: "c\nd\ne" }, "1\na\nb\n2", "1\nc\nd\ne\n2"],
    ["in a file with Windows line ends", { find: "a\nb", put: "c\nd" }, "a\r\nb\r\n", "c\r\nd\r\n"],
    ["written with Windows line ends", { find: "a\r\nb", put: "c" }, "1\na\nb\n", "1\nc\n"],
    [
      "at both kinds of line end",
      { find: "a\nb", put: "c" },
      "a\nb\n1\r\na\r\nb\n",
      "c\n1\r\na\r\nb\n",
    ],
    ["of a text that is a pattern elsewhere", { find: "$&.*", put: "$1" }, "x$&.*", "x$1"],
  ])("%s", (_, edit, off, on) => {
    expect(editOnce(off, edit, "on")).toEqual({ kind: "edited", text: on });
    expect(editOnce(on, edit, "off")).toEqual({ kind: "edited", text: off });
    expect(editOnce(on, edit, "on")).toEqual({ kind: "already" });
    expect(editOnce(off, edit, "off")).toEqual({ kind: "already" });
  });
});

describe("an edit is refused", () => {
  test.each<[string, Replacement, string, number]>([
    ["where the text stands twice", PROVIDER, `${PROVIDER.find}, ${PROVIDER.find}`, 2],
    ["where it overlaps itself", { find: "aba", put: "x" }, "ababa", 2],
    ["where there would be two ways back", { find: "a", put: "b" }, "a b", 2],
    ["where both texts share a letter", { find: "bb", put: "ba" }, "bba", 2],
    ["where the new text is made twice", { find: "a", put: "xx" }, "xa", 2],
    ["where it takes the only Windows line end away", { find: "a\nb", put: "c" }, "a\r\nb", 0],
    ["for nothing to find", { find: "", put: "b" }, "ab", 3],
    ["for nothing to put", { find: "a", put: "" }, "ab", 3],
    ["for nothing at all", { find: "", put: "" }, "", 1],
    ["for one text that stands twice", { find: "a", put: "a" }, "aa", 2],
  ])("%s", (_, edit, text, times) => {
    expect(editOnce(text, edit, "on")).toEqual({ kind: "ambiguous", times });
  });

  test.each<[string, Replacement, string]>([
    ["where neither text stands", PROVIDER, 'provider = "claude"'],
    ["in an empty file", PROVIDER, ""],
    ["where the new text stands twice", PROVIDER, `${PROVIDER.put} ${PROVIDER.put}`],
    ["where the case differs", PROVIDER, PROVIDER.find.toUpperCase()],
  ])("%s: there is nothing to find", (_, edit, text) => {
    expect(editOnce(text, edit, "on")).toEqual({ kind: "missing" });
  });
});

test("one text for both states is there already", () => {
  expect(editOnce("xay", { find: "a", put: "a" }, "on")).toEqual({ kind: "already" });
});

test("for any text: what is edited can be undone, byte for byte, and is there already", () => {
  const part = fc.array(fc.constantFrom("a", "b", "\n", "\r\n"), { maxLength: 4 });
  const text = (maxLength: number) =>
    fc
      .array(
        part.map((parts) => parts.join("")),
        { maxLength },
      )
      .map((all) => all.join(""));
  fc.assert(
    fc.property(text(4), text(1), text(1), fc.boolean(), (before, find, put, isOn) => {
      const [direction, back] = isOn ? (["on", "off"] as const) : (["off", "on"] as const);
      const result = editOnce(before, { find, put }, direction);
      if (result.kind !== "edited") return;
      expect(editOnce(result.text, { find, put }, direction)).toEqual({ kind: "already" });
      expect(editOnce(result.text, { find, put }, back)).toEqual({ kind: "edited", text: before });
    }),
    { numRuns: 1000 },
  );
});
