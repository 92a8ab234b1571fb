import { expect } from "vitest";
import { lineSchema } from "../../src/events/schema.ts";

/** Every line of stdout is as docs/events.schema.json says, and no key of it is missing there. */
export function expectEventLines(stdout: string): void {
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  expect(lines.length).toBeGreaterThan(0);
  // What the schema does not know, it leaves out.
  for (const line of lines) expect(lineSchema.parse(line)).toEqual(line);
}
