import * as z from "zod/mini";
import { lineSchema } from "./schema.ts";

/** The JSON Schema (draft 7) of a line of `--json`, for whoever reads them. Ends with a line feed. */
export function renderEventsSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(lineSchema, { io: "input", target: "draft-07" });
  const title = "one line of `--json` of sync-creds";
  const description =
    "What push, plan, rollback, backups, failover, switch and unlock write. Unknown keys and types are to be skipped: later versions may have more.";
  return `${JSON.stringify({ $schema, title, description, ...schema }, null, 2)}\n`;
}
