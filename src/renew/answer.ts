import { isObject } from "../credentials/json-text.ts";
import type { Ran } from "../ports.ts";

/** What became of one question to Claude Code. */
export interface Answer {
  readonly isOk: boolean;
  /** Its last words: not fit for a terminal yet. */
  readonly said: string;
}

/**
 * Reads what `claude -p --output-format json` left behind. A failure is `is_error`, be the status what it may: with
 * `subtype: "success"` and status 0 there are failures too, and one that says nothing (seen with 2.1.330; issues 79500
 * and 95217 of anthropics/claude-code).
 */
export function readAnswer({ code, stdout, stderr }: Ran): Answer {
  const result = findResult(stdout);
  if (result !== undefined) {
    const { is_error: isError, result: text } = result;
    return { isOk: code === 0 && isError === false, said: typeof text === "string" ? text : "" };
  }
  const said = [stdout, stderr].map((text) => text.trim()).find((text) => text !== "");
  return { isOk: false, said: said ?? "" };
}

/** The last line that is a result; a hook may have printed others. */
function findResult(stdout: string): Record<string, unknown> | undefined {
  for (const line of stdout.split("\n").toReversed()) {
    const value = line.startsWith("{") ? parseJson(line) : undefined;
    if (isObject(value) && "is_error" in value) return value;
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
