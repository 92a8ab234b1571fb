import { fingerprintOf } from "../credentials/fingerprint.ts";
import { readSettings } from "../edits/settings-file.ts";
import { Secret } from "../secret.ts";
import { describeHostLogin } from "./changes.ts";
import { pathsOf } from "./own-files.ts";

/** The content of a file on the host, by its path; undefined where there is none. */
export type BytesAt = (path: string) => Buffer | undefined;

/** What Claude Code on a host takes by the files of ours, in its order of precedence. */
export interface InUse {
  readonly by: "helper" | "variable" | "file" | "nothing";
  readonly fingerprint?: string;
  /** Epoch milliseconds. */
  readonly validUntil?: number;
}

/** Says it for the files as they are, or as they would be. */
export function findInUse(bytesAt: BytesAt, configDir: string): InUse {
  const at = pathsOf(configDir);
  if (isHelperOurs(bytesAt(at.settings))) return { by: "helper", ...keyIn(bytesAt(at.key)) };
  const env = bytesAt(at.env);
  if (env !== undefined) return { by: "variable", ...keyIn(env.subarray(env.indexOf("=") + 1)) };
  const { fingerprint, expiresAt } = describeHostLogin(bytesAt(at.credentials));
  if (fingerprint === undefined) return { by: "nothing" };
  return { by: "file", fingerprint, ...(expiresAt ? { validUntil: expiresAt } : {}) };
}

/** Whether these settings name the helper script that sync-creds writes. */
export function isHelperOurs(settings: Buffer | undefined): boolean {
  const read = settings === undefined ? undefined : readSettings(settings);
  return read?.kind === "settings" && read.apiKeyHelper?.command === "ours";
}

function keyIn(bytes: Buffer | undefined): { fingerprint?: string } {
  const text = bytes?.toString("utf8").trim() ?? "";
  return text === "" ? {} : { fingerprint: fingerprintOf(new Secret(text)) };
}
