import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { renderEventsSchema } from "../../../src/events/json-schema.ts";
import { lineSchema } from "../../../src/events/schema.ts";

test("docs/events.schema.json is what the code renders (rewrite it with `sync-creds schema --events > docs/events.schema.json`)", () => {
  expect(readFileSync("docs/events.schema.json", "utf8")).toBe(renderEventsSchema());
});

test("a reader learns the types of lines, and that more may come", () => {
  const schema = renderEventsSchema();
  expect(JSON.parse(schema)).toMatchObject({ $schema: "http://json-schema.org/draft-07/schema#" });
  for (const type of ["step", "note", "host", "result"])
    expect(schema).toContain(`"const": "${type}"`);
  expect(schema).not.toContain('"additionalProperties": false');
});

const step = { type: "step", schemaVersion: 1, host: "web-1", step: "smoke", at: 5 };

test.each([
  ["a step without a host", { ...step, host: undefined }],
  ["a step that does not exist", { ...step, step: "dance" }],
  ["an instant that is a text", { ...step, at: "now" }],
  ["a line without a version", { ...step, schemaVersion: undefined }],
  [
    "a result with an outcome that does not exist",
    {
      type: "result",
      schemaVersion: 1,
      exitCode: 0,
      hosts: [{ host: "web-1", outcome: "splendid", next: [], durationMs: 1 }],
    },
  ],
])("%s is no such line", (_what, line) => {
  expect(lineSchema.safeParse(step).success).toBe(true);
  expect(lineSchema.safeParse(line).success).toBe(false);
});
