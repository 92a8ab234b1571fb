import type { BackupSummary } from "../outcome.ts";
import type { Backup } from "../remote/backups.ts";
import { describeHostLogin } from "./changes.ts";
import { findInUse } from "./in-use.ts";
import { pathsOf } from "./own-files.ts";
import { describeLogin } from "./plan-lines.ts";

/** A backup as the user sees it: no more of a secret than its fingerprint. */
export function summarize(backup: Backup, configDir: string): BackupSummary {
  const { id, at, who, what, isCommitted, files } = backup;
  const { credentials } = pathsOf(configDir);
  const bytesAt = (path: string) => files.find((file) => file.path === path)?.copy.bytes;
  const { fingerprint } = findInUse(bytesAt, configDir);
  const hasLogin = files.some(({ path }) => path === credentials);
  return {
    id,
    at,
    who,
    what: isCommitted ? what : `${what}, set aside`,
    ...(fingerprint === undefined ? {} : { fingerprint }),
    holds: fingerprint ?? (hasLogin ? describeLogin(describeHostLogin(bytesAt(credentials))) : "-"),
    files: files.map(({ path }) => path),
  };
}
