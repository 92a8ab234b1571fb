import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findMember, membersOf } from "../../../src/credentials/json-text.ts";

const spelt = (text: string, from?: number) =>
  membersOf(text, from).map(({ key, start, value }) => [
    key,
    text[start],
    text.slice(value.start, value.end),
  ]);

describe("the members of an object", () => {
  test("are those of its own depth, in the order of the text, repeated ones too", () => {
    const text = ' { "a" : 1,"b":{"a":[2,{"c":3}]} ,\n"a": "}" }';
    expect(spelt(text)).toEqual([
      ["a", '"', "1"],
      ["b", '"', '{"a":[2,{"c":3}]}'],
      ["a", '"', '"}"'],
    ]);
  });

  test("of an inner object end with it", () => {
    const text = '{"env": {"a":1, "b":[{}]}, "c":2}';
    expect(spelt(text, text.indexOf("{", 1))).toEqual([
      ["a", '"', "1"],
      ["b", '"', "[{}]"],
    ]);
  });

  test("are none where there are none", () => {
    expect(membersOf("{ }")).toEqual([]);
    expect(membersOf('{"a":{},"b":1}', 5)).toEqual([]);
  });

  test("in any valid object are what JSON.parse finds", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(0, 2),
        (object, pad) => {
          const text = JSON.stringify(object, undefined, pad);
          const members = membersOf(text);
          expect(members.map(({ key }) => key)).toEqual(Object.keys(JSON.parse(text) as object));
          for (const { key, value } of members) {
            expect(JSON.parse(text.slice(value.start, value.end))).toEqual(
              (JSON.parse(text) as Record<string, unknown>)[key],
            );
          }
        },
      ),
    );
  });
});

test("of a repeated key the last member counts", () => {
  const text = '{"a":1,"a":2}';
  const span = findMember(text, "a");
  expect(text.slice(span?.start, span?.end)).toBe("2");
  expect(findMember(text, "b")).toBeUndefined();
});
