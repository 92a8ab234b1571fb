import { expect, test } from "vitest";
import { parseHolder, renderHolder } from "../../../src/remote/lock-holder.ts";

test.each([
  ["1f9a ben@desk 12", "ben@desk, taken 12 s ago (run 1f9a)"],
  ["1f9a ben@desk 185", "ben@desk, taken 3 min ago (run 1f9a)"],
  ["1f9a ben@desk 7500", "ben@desk, taken 2 h 5 min ago (run 1f9a)"],
  ["1f9a ben@desk", "ben@desk (run 1f9a)"],
  ["1f9a ben@desk -3", "ben@desk (run 1f9a)"],
  ["1f9a", "somebody (run 1f9a)"],
  [undefined, "another run"],
])("the holder %j is %s", (told, text) => {
  expect(renderHolder(told)).toBe(text);
});

test("a holder's name brings nothing invisible along", () => {
  expect(parseHolder("1f9a ben\u0007\u202E@desk 5")).toEqual({
    run: "1f9a",
    who: "ben",
    heldForS: undefined,
  });
});
