import { expect, test } from "vitest";
import { findNearest } from "../../../src/hosts/did-you-mean.ts";

test.each([
  ["untit", ["unit", "scope"], "unit"],
  ["Unit", ["unit", "scope"], "unit"],
  ["timeoutMS", ["timeoutMs", "startTimeoutMs"], "timeoutMs"],
  ["weeb-1", ["web-1", "web-2"], "web-1"],
  ["x", ["web-1"], undefined],
  ["", ["a"], undefined],
  ["completely-else", ["web-1", "web-2"], undefined],
  ["web", [], undefined],
])("%j among %j means %j", (word, candidates, meant) => {
  expect(findNearest(word, candidates)).toBe(meant);
});
