import { createHash } from "node:crypto";
import type { Secret } from "../secret.ts";

/** What a secret is called in public: the first 8 hex digits of the SHA-256 of its UTF-8 text. */
export function fingerprintOf(secret: Secret): string {
  return createHash("sha256").update(secret.reveal(), "utf8").digest("hex").slice(0, 8);
}
