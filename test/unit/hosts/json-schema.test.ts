import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { renderJsonSchema } from "../../../src/hosts/json-schema.ts";

test("hosts.schema.json is what the code renders (rewrite it with `sync-creds schema > hosts.schema.json`)", () => {
  expect(readFileSync("hosts.schema.json", "utf8")).toBe(renderJsonSchema());
});

test("an editor learns the keys, what they mean, and that others are wrong", () => {
  expect(JSON.parse(renderJsonSchema())).toMatchObject({
    $schema: "http://json-schema.org/draft-07/schema#",
    required: ["hosts"],
    additionalProperties: false,
    properties: {
      hosts: {
        additionalProperties: {
          required: ["ssh"],
          additionalProperties: false,
          properties: {
            ssh: { type: "string", description: expect.stringContaining("user@host:port") },
            deadlineMs: { type: "integer", default: 180_000 },
            delivery: {
              enum: ["access-token", "setup-token", "api-key", "full-login", "own-login"],
              default: "access-token",
            },
          },
        },
      },
    },
  });
});
