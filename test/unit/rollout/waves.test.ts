import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTooMany, parseAmount, parseWaves, planWaves } from "../../../src/rollout/waves.ts";

const named = (count: number) => Array.from({ length: count }, (_, at) => `h${at + 1}`);
const sizes = (count: number, waves: string, canary?: string) =>
  planWaves(named(count), { waves: parseWaves(waves), canary }).map(({ length }) => length);

describe("waves", () => {
  test.each<[number, string, number[]]>([
    [10, "1,25%,100%", [1, 3, 6]],
    [10, "3", [3, 3, 3, 1]],
    [10, "50%", [5, 5]],
    [4, "1,1,100%", [1, 1, 2]],
    [3, "10", [3]],
    [200, "1%", Array.from({ length: 100 }, () => 2)],
    [1, "25%", [1]],
    [0, "1", []],
  ])("of %i hosts in %s have these sizes: %j", (count, waves, expected) => {
    expect(sizes(count, waves)).toEqual(expected);
  });

  test("without a word there is one", () => {
    expect(planWaves(named(3), {})).toEqual([["h1", "h2", "h3"]]);
  });

  test("begin with the canary alone; an unknown one changes nothing", () => {
    expect(planWaves(named(3), { canary: "h2" })).toEqual([["h2"], ["h1", "h3"]]);
    expect(planWaves(named(2), { canary: "h9" })).toEqual([["h1", "h2"]]);
  });

  test("hold every host once, whatever their sizes", () => {
    const amount = fc.oneof(
      fc.record({ count: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ percent: fc.integer({ min: 1, max: 100 }) }),
    );
    const order = fc.record({ waves: fc.array(amount, { minLength: 1, maxLength: 5 }) });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 250 }), order, (count, how) => {
        expect(planWaves(named(count), { ...how, canary: "h1" }).flat()).toEqual(named(count));
      }),
    );
  });

  test.each(["", "0", "0%", "1,,2", "-1", "101%", "a", "1.5", "%"])("%j is refused", (text) => {
    expect(() => parseWaves(text)).toThrow("is no size of a wave");
  });
});

test.each<[number, string | undefined, number, boolean]>([
  [9, undefined, 10, false],
  [0, "0", 10, false],
  [1, "0", 10, true],
  [2, "2", 10, false],
  [3, "2", 10, true],
  [1, "10%", 10, false],
  [2, "10%", 10, true],
  [1, "0%", 10, true],
])("%i failures are too many where %s may be, of %i: %s", (failed, most, all, expected) => {
  expect(isTooMany(failed, most === undefined ? undefined : parseAmount(most), all)).toBe(expected);
});
