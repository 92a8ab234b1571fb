import { expect, test } from "vitest";
import { readAnswer } from "../../../src/renew/answer.ts";

const result = (isError: boolean, text: string) =>
  JSON.stringify({ type: "result", subtype: "success", is_error: isError, result: text });

test.each([
  ["an answer", { code: 0, stdout: result(false, "ok") }, true, "ok"],
  [
    "an answer after a hook's line",
    { code: 0, stdout: `{}\n${result(false, "ok")}\n` },
    true,
    "ok",
  ],
  ["an error with status 1", { code: 1, stdout: result(true, "no") }, false, "no"],
  ["an error with status 0", { code: 0, stdout: result(true, "no") }, false, "no"],
  ["an answer from one that was stopped", { code: null, stdout: result(false, "ok") }, false, "ok"],
  ["plain text", { code: 1, stdout: "Not logged in\n" }, false, "Not logged in"],
  [
    "words on stderr",
    { code: 1, stderr: "error: unknown option\n" },
    false,
    "error: unknown option",
  ],
  ["silence", { code: 0 }, false, ""],
])("%s", (_, ran, isOk, said) => {
  expect(readAnswer({ stdout: "", stderr: "", ...ran })).toEqual({ isOk, said });
});
