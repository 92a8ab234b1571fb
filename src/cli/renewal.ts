import { fingerprintOf } from "../credentials/fingerprint.ts";
import { SyncCredsError } from "../errors.ts";
import { locateCredentials } from "../locate/locate.ts";
import type { Located } from "../locate/located.ts";
import { redact, sanitize } from "../output/sanitize.ts";
import { renderSpan } from "../output/time.ts";
import type { Ports } from "../ports.ts";
import type { Answer } from "../renew/answer.ts";
import { askClaude } from "../renew/renew.ts";
import type { Secret } from "../secret.ts";
import { findMessage } from "../smoke/messages.ts";
import { explain } from "../smoke/verdict.ts";
import { LOG_IN } from "../validate/misfits.ts";
import { isRenewalDue, renewalDueAt, verifyRenewableLogin } from "../validate/renewal.ts";
import type { FitLogin } from "../validate/validate.ts";

/** How a login was before and after Claude Code was asked to renew it. */
export interface Renewal {
  readonly before: Life;
  readonly after: Life;
  readonly isRenewed: boolean;
  /** From when on Claude Code would renew the login that is there now, epoch milliseconds. */
  readonly dueAt: number;
  /** What Claude Code said, when it was a failure all the same; fit for a terminal. */
  readonly complaint?: string;
  readonly located: Located;
}

/** One access token, by fingerprint and end (epoch milliseconds). */
export interface Life {
  readonly fingerprint: string;
  readonly expiresAt: number;
}

/** Who is told, and what ends a wait before Claude Code is started. */
export interface Listening {
  readonly signal: AbortSignal;
  readonly tell: (note: string) => void;
}

/**
 * Lets the installed Claude Code renew this laptop's login, and says what became of it. Errors: `CLAUDE_NOT_FOUND`,
 * `REFRESH_FAILED`, `INTERRUPTED`, and the `CREDENTIALS_…` codes of a login that cannot be renewed.
 */
export async function renewLogin(ports: Ports, { signal, tell }: Listening): Promise<Renewal> {
  const found = await locateCredentials(ports, { signal, tell });
  const before = verifyRenewableLogin(found.credentials, ports.now());
  const wasDue = renewalDueAt(before) <= ports.now();
  tell(
    "Claude Code is asked for one word with this login; it is never broken off, and may take minutes",
  );
  const answer = await askClaude(ports, tell);

  const located = await locateCredentials(ports, { tell });
  const after = verifyRenewableLogin(located.credentials, ports.now());
  const isRenewed = !after.accessToken.equals(before.accessToken);
  const said = wordsOf(answer, [before, after]);
  if (!isRenewed) verifyHarmless(answer, said, wasDue);
  return {
    before: lifeOf(before),
    after: lifeOf(after),
    isRenewed,
    dueAt: renewalDueAt(after),
    ...(answer.isOk ? {} : { complaint: said }),
    located,
  };
}

/** Whether a push renews a login that is due: without a word, never, or when the person at the terminal says yes. */
export type RefreshMode = "auto" | "never" | "ask";

/** How `push` goes about it, by its options. A dry run leaves this laptop as it is, too. */
export function refreshModeOf(
  { dryRun, refresh, yes }: RefreshOptions,
  { human }: Pick<Ports, "human">,
): RefreshMode {
  if (dryRun === true) return "never";
  if (refresh !== undefined) return refresh;
  if (human === undefined) return "never";
  return yes === true ? "auto" : "ask";
}

/** The options of `push` that decide about it. */
export interface RefreshOptions {
  readonly dryRun?: boolean;
  readonly refresh?: "auto" | "never";
  readonly yes?: boolean;
}

/**
 * The login to push: what was found, or, if its renewal is due and wanted, what Claude Code has made of it. Errors: as
 * those of `renewLogin`.
 */
export async function renewIfDue(
  located: Located,
  mode: RefreshMode,
  ports: Ports,
  listening: Listening,
): Promise<Located> {
  if (mode === "never" || !isRenewalDue(located.credentials, ports.now())) return located;
  if (mode === "ask" && !(await isWanted(located, ports))) return located;
  const renewal = await renewLogin(ports, listening);
  if (!listening.signal.aborted) return renewal.located;
  throw new SyncCredsError("INTERRUPTED", "interrupted before any host was touched", {
    why: renewal.isRenewed ? "Claude Code had renewed the login by then" : "",
    next: ["Run the command again"],
  });
}

async function isWanted({ credentials }: Located, ports: Ports): Promise<boolean> {
  if (ports.human === undefined || credentials.kind !== "login") return false;
  const leftMs = (credentials.login.expiresAt ?? 0) - ports.now();
  const verb = leftMs > 0 ? "ends" : "ended";
  return await ports.human.confirm("Let Claude Code renew the login first?", [
    `the access token ${verb} ${renderSpan(leftMs)}`,
  ]);
}

/** Passes when nothing was renewed because it is too early for that. Error: `REFRESH_FAILED`. */
function verifyHarmless(answer: Answer, said: string, wasDue: boolean): void {
  const message = answer.isOk ? undefined : findMessage(answer.said, true)?.message;
  const isWorking = answer.isOk || message?.class === "usage-limit";
  if (isWorking && !wasDue) return;
  if (answer.isOk) {
    throw new SyncCredsError("REFRESH_FAILED", "Claude Code answered, and renewed nothing", {
      why: "the access token was due for it; it may have used something else than this login",
      next: ["See what it uses: `claude auth status`", LOG_IN],
    });
  }
  const finding = message && explain(message.class, message.hint);
  const isAboutLogin = finding?.blame === "credentials" || finding?.blame === "upstream";
  const meaning = isAboutLogin || message?.class === "usage-limit" ? finding?.meaning : undefined;
  const words = said === "" ? "it said nothing" : `it said: ${said}`;
  throw new SyncCredsError("REFRESH_FAILED", "Claude Code could not renew the login", {
    why: [meaning, words].filter((part) => part !== undefined).join("; "),
    next:
      finding?.blame === "credentials"
        ? [LOG_IN]
        : ["Run `sync-creds refresh` again in a few minutes", "Or look yourself: `claude -p hi`"],
  });
}

function wordsOf({ said }: Answer, logins: readonly FitLogin[]): string {
  const secrets = logins.flatMap(({ accessToken, refreshToken }): Secret[] =>
    refreshToken === undefined ? [accessToken] : [accessToken, refreshToken],
  );
  return sanitize(redact(said.slice(-2000), secrets), { maxLength: 200 });
}

function lifeOf({ accessToken, expiresAt }: FitLogin): Life {
  return { fingerprint: fingerprintOf(accessToken), expiresAt };
}
