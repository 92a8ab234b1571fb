import * as fc from "fast-check";
import { expect, test } from "vitest";
import { renderInstant, renderSpan } from "../../../src/output/time.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [0, "in 0 min"],
  [29 * SECOND, "in 0 min"],
  [31 * SECOND, "in 1 min"],
  [59 * MINUTE + 29 * SECOND, "in 59 min"],
  [59 * MINUTE + 30 * SECOND, "in 1 h 0 min"],
  [7 * HOUR + 52 * MINUTE, "in 7 h 52 min"],
  [24 * HOUR, "in 24 h 0 min"],
  [2 * DAY - MINUTE, "in 47 h 59 min"],
  [2 * DAY, "in 2 days"],
  [30 * DAY + 5 * HOUR, "in 30 days"],
  [-29 * SECOND, "just now"],
  [-MINUTE, "1 min ago"],
  [-(3 * HOUR + 5 * MINUTE), "3 h 5 min ago"],
  [-3 * DAY, "3 days ago"],
])("a span of %i ms is %j", (milliseconds, text) => {
  expect(renderSpan(milliseconds)).toBe(text);
});

test("an instant is a local date and minute, and how far off it is", () => {
  const at = new Date(2026, 0, 5, 9, 7, 59).getTime();
  expect(renderInstant(at, at - 8 * HOUR)).toBe("2026-01-05 09:07 (in 8 h 0 min)");
  expect(renderInstant(at, at + DAY)).toBe("2026-01-05 09:07 (24 h 0 min ago)");
});

test("minutes never reach sixty, hours never two days", () => {
  fc.assert(
    fc.property(fc.integer({ min: -90 * DAY, max: 90 * DAY }), (span) => {
      const [, hours, minutes] = /(?:(\d+) h )?(\d+) min/.exec(renderSpan(span)) ?? [];
      expect(Number(minutes ?? 0)).toBeLessThan(60);
      expect(Number(hours ?? 0)).toBeLessThan(48);
    }),
  );
});
