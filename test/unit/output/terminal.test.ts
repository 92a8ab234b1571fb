import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { drawableStream, paintFor } from "../../../src/output/terminal.ts";

const screen = Object.assign(new PassThrough(), { isTTY: true });
const pipe = new PassThrough();

test.each([
  ["a terminal", screen, {}, "\u001B[31mx\u001B[39m"],
  ["a terminal whose NO_COLOR is empty", screen, { NO_COLOR: "" }, "\u001B[31mx\u001B[39m"],
  ["a pipe", pipe, {}, "x"],
  ["NO_COLOR", screen, { NO_COLOR: "1" }, "x"],
  ["a dumb terminal", screen, { TERM: "dumb" }, "x"],
])("colour on %s", (_, stream, env, expected) => {
  expect(paintFor(stream, env)("red", "x")).toBe(expected);
});

test("only a real terminal is drawn on", () => {
  expect(drawableStream({ stdout: pipe, stderr: screen, env: {} })).toBeUndefined();
  expect(drawableStream({ stdout: pipe, stderr: pipe, env: {} })).toBeUndefined();
});
