import * as z from "zod/mini";
import { hostsSchema } from "./schema.ts";

/** The JSON Schema (draft 7) of hosts.json, for editors. Ends with a line feed. */
export function renderJsonSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(hostsSchema, { io: "input", target: "draft-07" });
  const title = "hosts.json of sync-creds";
  return `${JSON.stringify({ $schema, title, allowTrailingCommas: true, ...schema }, null, 2)}\n`;
}
