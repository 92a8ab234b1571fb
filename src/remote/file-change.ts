import type { Secret } from "../secret.ts";

/** One file that a host shall have, or shall be without. The host changes it only if it still is what the probe saw. */
export interface FileChange {
  /** Absolute path on the host. */
  readonly path: string;
  /** Octal permission digits: `600`. */
  readonly mode: string;
  /** What the probe saw there. */
  readonly before: Buffer | undefined;
  /** The whole new content; `undefined` when the file shall be gone. */
  readonly after: Secret | undefined;
  /** It is root's: the host writes it through `sudo -n` where the login is another account. */
  readonly asRoot?: boolean;
}
