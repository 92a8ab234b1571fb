import { expect, test } from "vitest";
import { chooseLines, renderProgress } from "../../../src/output/live-lines.ts";
import type { LiveState } from "../../../src/output/live-lines.ts";

const state = (phase: LiveState["phase"], lastChange = 0): LiveState => ({ phase, lastChange });

test("every host has its line where all fit, whatever has become of it", () => {
  expect(chooseLines([state("good"), state("bad"), state("waiting")], 3)).toEqual([0, 1, 2]);
});

test("where they do not fit, those at work come first, the latest to move before the others", () => {
  const states = [
    state("waiting"),
    state("at-work", 1),
    state("bad", 9),
    state("at-work", 5),
    state("good", 10),
    state("at-work", 3),
  ];
  expect(chooseLines(states, 2)).toEqual([3, 5]);
  expect(chooseLines(states, 3)).toEqual([1, 3, 5]);
  expect(chooseLines(states, 4)).toEqual([1, 2, 3, 5]);
  expect(chooseLines(states, 5)).toEqual([0, 1, 2, 3, 5]);
});

test("what is well gives up its line: at the end of a long list only failures are left", () => {
  const states = Array.from({ length: 200 }, (_, at) => state(at % 100 === 7 ? "bad" : "good", at));
  expect(chooseLines(states, 38)).toEqual([7, 107]);
});

test.each([0, -1])("a terminal with %i rows shows none", (rows) => {
  expect(chooseLines([state("at-work")], rows)).toEqual([]);
});

test("the progress line counts what is done and what has failed", () => {
  const many = (good: number, bad: number) =>
    Array.from({ length: 200 }, (_, at) =>
      state(at < good ? "good" : at < good + bad ? "bad" : "waiting"),
    );
  expect(renderProgress(many(35, 2))).toBe("███░░░░░░░░░░░░░░░░░  37/200 done, 2 failed");
  const stopped = many(1, 1).map((one) => (one.phase === "waiting" ? state("stopped") : one));
  expect(renderProgress(stopped)).toBe("░░░░░░░░░░░░░░░░░░░░  2/200 done, 1 failed, 198 not begun");
  expect(renderProgress(many(0, 0))).toBe("░░░░░░░░░░░░░░░░░░░░  0/200 done");
  expect(renderProgress(many(200, 0))).toBe("████████████████████  200/200 done");
  expect(renderProgress(many(0, 0).slice(0, 10))).toBeUndefined();
});
