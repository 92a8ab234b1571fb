import type { Secret } from "../secret.ts";

/** One file that a host shall have. The host replaces it only if it still is what the probe saw. */
export interface FileChange {
  /** Absolute path on the host. */
  readonly path: string;
  /** Octal permission digits: `600`. */
  readonly mode: string;
  /** What the probe saw there. */
  readonly before: Buffer | undefined;
  /** The whole new content. */
  readonly after: Secret;
}
