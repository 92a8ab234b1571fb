import { createHash } from "node:crypto";
import type { Secret } from "../secret.ts";

/** What a secret may be called in public: the first 8 hex digits of its SHA-256. */
export function fingerprintOf(secret: Secret): string {
  return createHash("sha256").update(secret.reveal()).digest("hex").slice(0, 8);
}
