import { createHash } from "node:crypto";
import { SyncCredsError } from "../errors.ts";
import { sanitize } from "../output/sanitize.ts";
import type { FileChange } from "../remote/file-change.ts";
import type { Answer } from "../remote/frames.ts";
import { AWAIT_IT, renderHolder } from "../remote/lock-holder.ts";
import type { RemoteHalf } from "../remote/remote-half.ts";

export interface Installation {
  readonly run: string;
  /** Who pushes, from where: `ana@laptop`. */
  readonly who: string;
  /** What the change is for, as the host keeps it: one line. */
  readonly what?: string;
  readonly configDir: string;
  readonly confirmTimeoutMs: number;
  readonly recipe: Readonly<Record<string, string | number>>;
  readonly changes: readonly FileChange[];
  /** A restart is asked for in the same flight: then the host answers all of it in one piece. */
  readonly restartFollows?: boolean;
}

/**
 * Lock, journal, backup, stage, flush, arm the dead-man switch, compare and swap: all in one flight. When it resolves
 * the files are in place and the host takes them back by itself unless it hears `commit`.
 * Errors: `LOCKED`, `FILE_CHANGED`, `TARGET_UNSAFE`, `INSTALL_FAILED`: the host is as it was.
 */
export async function install(half: RemoteHalf, installation: Installation): Promise<void> {
  const { run, who, what = "push", configDir, confirmTimeoutMs, recipe, changes } = installation;
  const { restartFollows = false } = installation;
  const confirm = Math.ceil(confirmTimeoutMs / 1000);
  const answers = [
    half.ask(
      {
        verb: "begin",
        fields: { run, more, who, what, dir: configDir, files: changes.length, confirm, ...recipe },
      },
      patience,
    ),
    ...changes.map((change) => half.ask(fileRequest(run, change), patience)),
    half.ask({ verb: "install", fields: restartFollows ? { run, more } : { run } }, patience),
  ];
  for (const answer of await Promise.all(answers)) verifyStep(answer, configDir);
}

// The host waits up to twenty seconds for a renewal by its own Claude Code before it begins.
const patience = { timeoutMs: 50_000 };

// Further requests follow: the host need not answer yet.
const more = "yes";

function fileRequest(run: string, { path, mode, before, after, asRoot = false }: FileChange) {
  const payload = after?.revealBytes() ?? Buffer.alloc(0);
  const fields = {
    run,
    more,
    path,
    mode,
    expect: before === undefined ? "absent" : sha256(before),
    sha: after === undefined ? "absent" : sha256(payload),
    size: payload.length,
    root: asRoot ? "yes" : "",
  };
  return { verb: "file" as const, fields, payload };
}

function verifyStep(answer: Answer, configDir: string): void {
  const reason = answer.get("fail");
  if (reason === undefined) return;
  const detail = sanitize(answer.all("detail").join(" "), { maxLength: 300 });
  if (answer.get("undone") === "no") {
    throw new SyncCredsError(
      "ROLLBACK_FAILED",
      "the change failed half-way and could not be undone",
      {
        why: detail,
        next: [`On the host: \`sh ${configDir}/.sync-creds/pending/script undo\``],
      },
    );
  }
  switch (reason) {
    case "busy": {
      throw new SyncCredsError("LOCKED", "another push is at work on this host", {
        why: `the lock is held by ${renderHolder(answer.get("holder"))}`,
        next: [...AWAIT_IT],
      });
    }
    case "renewing":
      throw new SyncCredsError("LOCKED", "Claude Code on the host is renewing its login", {
        why: "its lock was touched within the last minute; it is waited for and never removed",
        next: [
          "Push again in a minute",
          `If nothing there renews a login: see \`ls -ld ${configDir}/.oauth_refresh.lock ${configDir}.lock\` on HOST`,
        ],
      });
    case "privilege":
      throw new SyncCredsError("TARGET_UNSAFE", "this login may not change what belongs to root", {
        why: `the unit of the wrapper belongs to root, and \`sudo -n\` was refused: ${detail}`,
        next: [
          "Allow this login to use sudo without a password on HOST, or log in as root",
          "Or use a delivery that needs no change of the unit",
        ],
      });
    case "changed":
      throw new SyncCredsError("FILE_CHANGED", "the file on the host changed under our hands", {
        why: "something else, probably the host's own Claude, wrote it after we had looked",
        next: ["Push again"],
      });
    case "unsafe":
      throw new SyncCredsError(
        "TARGET_UNSAFE",
        "the file on the host is not a plain file any more",
        {
          why: detail,
          next: ["See what stands there, then push again"],
        },
      );
    default:
      throw new SyncCredsError("INSTALL_FAILED", "the host could not store the new credentials", {
        why: detail === "" ? reason : detail,
        next: ["Mend the cause on the host, then push again"],
      });
  }
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
