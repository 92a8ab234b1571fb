import { createHash } from "node:crypto";
import type { Host } from "../hosts/host.ts";
import { namesSetBy } from "../edits/wiring.ts";
import { switchIn } from "../purpose.ts";
import type { Backup, BackupFile } from "../remote/backups.ts";
import type { FileChange } from "../remote/file-change.ts";
import { octalOf } from "../remote/host-files.ts";
import type { HostFile } from "../remote/host-files.ts";
import type { ProbeReport } from "../remote/probe-report.ts";
import { Secret } from "../secret.ts";
import { describeHostLogin } from "./changes.ts";
import { whyDead } from "./dead-login.ts";
import { findInUse } from "./in-use.ts";
import { pathsOf } from "./own-files.ts";
import { describeLogin } from "./plan-lines.ts";
import { findObstacle, refuse } from "./plan.ts";
import type { Baseline, Plan } from "./plan.ts";
import type { Recipe } from "./plan-recipe.ts";
import * as refusal from "./refusals.ts";
import { findUnsafe } from "./unsafe-files.ts";

export interface RestoreQuestion {
  readonly host: Host;
  readonly report: ProbeReport;
  readonly baseline: Baseline;
  /** Newest first. */
  readonly backups: readonly Backup[];
  /** Restore what is known to be dead, and over what somebody else has written since. */
  readonly force: boolean;
  /** Epoch milliseconds, by this laptop. */
  readonly now: number;
}

/** One file on its way back: as it was before the chosen change, and as the last of our changes has left it. */
interface Return {
  readonly file: BackupFile;
  readonly left: string;
}

/**
 * What putting a host back comes to: every file that the chosen change, or a later one, has touched is as it was before
 * the chosen one. Switches have a way back of their own and are left alone.
 */
export function planRestore(
  question: RestoreQuestion,
  { backup: wanted }: { readonly backup?: string | undefined },
): Plan {
  const { host, report, baseline, backups, force, now } = question;
  const obstacle = findObstacle(host, report, "login");
  if (obstacle !== undefined) return obstacle;
  if (baseline.unusable !== undefined && !force) {
    return refuse("refused", refusal.unusable(host, baseline.unusable));
  }
  const chosen = chooseBackup(backups, wanted);
  if (chosen === undefined) return refuse("refused", refusal.noBackup(host, wanted));
  if (switchIn(chosen.what) !== undefined)
    return refuse("refused", refusal.backupOfSwitch(host, chosen.what));
  const returns = returnsTo(chosen, backups);
  const unseen = returns.find(({ file }) => !report.files.has(file.path));
  if (unseen !== undefined) return { kind: "look-closer", path: unseen.file.path };

  const stateAt = (path: string) => stateOf(report.files.get(path));
  const different = returns.filter(({ file }) => stateAt(file.path) !== file.was);
  if (different.length === 0) return { kind: "unchanged" };
  const unsafe = different.flatMap(({ file }) => findUnsafe(file, report) ?? [])[0];
  if (unsafe !== undefined) return refuse("refused", unsafe);
  const damaged = different.find(({ file: { was, copy } }) => stateOf(copy) !== was);
  if (damaged !== undefined) return refuse("refused", refusal.damagedBackup(damaged.file.path));
  const changed = different.filter(({ file, left }) => stateAt(file.path) !== left);
  if (changed.length > 0 && !force) {
    return refuse(
      "conflict",
      refusal.changedSince(
        host,
        changed.map(({ file }) => file.path),
      ),
    );
  }
  const at = pathsOf(report.configDir);
  const login = different.find(({ file }) => file.path === at.credentials)?.file.copy.bytes;
  const dead = login === undefined ? undefined : whyDead(login, now);
  if (dead !== undefined && !force) return refuse("refused", refusal.deadBackup(host, dead));
  return changeTo(
    question,
    chosen,
    different.map(({ file }) => file),
  );
}

/** The one that an id, or the beginning of one, names; else the newest that a rollback is for. */
function chooseBackup(backups: readonly Backup[], wanted: string | undefined): Backup | undefined {
  if (wanted === undefined) {
    return backups.find(({ isCommitted, what }) => isCommitted && switchIn(what) === undefined);
  }
  const found = backups.filter(({ id }) => id.startsWith(wanted));
  return found.length === 1 ? found[0] : found.find(({ id }) => id === wanted);
}

function returnsTo(chosen: Backup, backups: readonly Backup[]): Return[] {
  const since = backups.slice(0, backups.indexOf(chosen) + 1);
  const returns = new Map<string, Return>();
  for (const backup of since) {
    if (backup !== chosen && (!backup.isCommitted || switchIn(backup.what) !== undefined)) continue;
    for (const file of backup.files) {
      returns.set(file.path, { file, left: returns.get(file.path)?.left ?? file.became });
    }
  }
  return [...returns.values()];
}

function changeTo(
  { host, report }: RestoreQuestion,
  chosen: Backup,
  files: readonly BackupFile[],
): Plan {
  const changes = files.map(({ path, was, asRoot, copy }): FileChange => ({
    path,
    mode: was === "absent" ? "600" : octalOf(copy.mode),
    before: report.files.get(path)?.bytes,
    after: copy.bytes === undefined ? undefined : new Secret(copy.bytes),
    asRoot,
  }));
  const after = new Map(files.map(({ path, copy }) => [path, copy.bytes]));
  const bytesAfter = (path: string) =>
    after.has(path) ? after.get(path) : report.files.get(path)?.bytes;
  const { fingerprint, validUntil } = findInUse(bytesAfter, report.configDir);
  return {
    kind: "change",
    changes,
    recipe: recipeFor(host, report, bytesAfter, after),
    lines: [
      `as it was before the ${chosen.what} of ${chosen.who}`,
      ...files.map((file) => lineFor(file, report)),
    ],
    brings: {
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(validUntil === undefined ? {} : { validUntil }),
    },
  };
}

/** As for a push: a supervisor reads its files anew, and a process gets the variables of our env file, or loses them. */
function recipeFor(
  { restart }: Host,
  { configDir, files, wiring }: ProbeReport,
  bytesAfter: (path: string) => Buffer | undefined,
  changed: ReadonlyMap<string, unknown>,
): Recipe {
  const { env } = pathsOf(configDir);
  if (restart.kind === "process" || restart.kind === "pm2") {
    const kept = namesSetBy(bytesAfter(env));
    const former = namesSetBy(files.get(env)?.bytes).filter((name) => !kept.includes(name));
    return { unset: former.join(" "), env: kept.length === 0 ? "" : env };
  }
  const isUnit = wiring !== undefined && changed.has(wiring);
  const isReloadDue = restart.kind === "supervisor" || (restart.kind === "systemd" && isUnit);
  return isReloadDue ? { reload: "yes" } : {};
}

function lineFor({ path, was, copy }: BackupFile, { configDir, files }: ProbeReport): string {
  if (path === pathsOf(configDir).credentials) {
    const [now, then] = [files.get(path)?.bytes, copy.bytes].map((bytes) =>
      describeLogin(describeHostLogin(bytes)),
    );
    return `${path}: ${now} → ${then}`;
  }
  return was === "absent" ? `${path}: removed` : `${path}: put back, mode ${octalOf(copy.mode)}`;
}

function stateOf(file: HostFile | undefined): string {
  if (file === undefined || file.kind === "absent") return "absent";
  return file.bytes === undefined ? "?" : createHash("sha256").update(file.bytes).digest("hex");
}
