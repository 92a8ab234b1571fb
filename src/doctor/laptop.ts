import { fingerprintOf } from "../credentials/fingerprint.ts";
import { note, ok, warn } from "../diagnosis.ts";
import type { Check, Examined } from "../diagnosis.ts";
import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import { locateCredentials } from "../locate/locate.ts";
import type { Located } from "../locate/located.ts";
import { renderInstant } from "../output/time.ts";
import type { Ports } from "../ports.ts";
import { managedSettingsPath, userSettingsPath } from "../renew/surroundings.ts";
import { readLedger } from "../rollout/ledger.ts";
import type { Ledger } from "../rollout/ledger.ts";
import { LOG_IN } from "../validate/misfits.ts";
import { checkLaptopMethods, START_FILES } from "./laptop-methods.ts";
import { checkLogin, checkNoLogin } from "./login-checks.ts";

/** This laptop, and what the hosts are compared with. */
export interface Laptop extends Examined {
  /** Of the login's tokens. */
  readonly fingerprint: string | undefined;
  readonly refreshFingerprint: string | undefined;
  readonly ledger: Ledger;
  readonly located: Located | undefined;
}

export interface LaptopQuestion {
  /** No host that is looked at gets this laptop's login: then it may be as it likes. */
  readonly isLoginNeeded: boolean;
  /** The hosts of hosts.json that are not looked at: what the ledger says of them is all there is. */
  readonly unvisited: readonly Host[];
  readonly signal: AbortSignal;
  readonly tell: (note: string) => void;
}

/** The four causes on this laptop. Changes nothing. Errors: `CONFIG_UNREADABLE` (the ledger), `INTERRUPTED`. */
export async function examineLaptop(ports: Ports, question: LaptopQuestion): Promise<Laptop> {
  const now = ports.now();
  const located = await locate(ports, question);
  const ledger = await readLedger(ports);
  const login =
    located instanceof SyncCredsError || located.credentials.kind !== "login"
      ? undefined
      : located.credentials.login;
  const fingerprint = login?.accessToken && fingerprintOf(login.accessToken);
  const refreshFingerprint = login?.refreshToken && fingerprintOf(login.refreshToken);
  const checks = [
    ...ofLogin(located, now),
    ...checkLaptopMethods({ env: ports.env, files: await readStartFiles(ports) }),
    ...driftOf(question.unvisited, ledger, fingerprint, now),
  ];
  return {
    place: "this laptop",
    checks: question.isLoginNeeded ? checks : checks.map(needNot),
    fingerprint,
    refreshFingerprint,
    ledger,
    located: located instanceof SyncCredsError ? undefined : located,
  };
}

async function locate(ports: Ports, question: LaptopQuestion): Promise<Located | SyncCredsError> {
  try {
    return await locateCredentials(ports, question);
  } catch (error) {
    if (error instanceof SyncCredsError && error.code !== "INTERRUPTED") return error;
    throw error;
  }
}

function ofLogin(located: Located | SyncCredsError, now: number): Check[] {
  if (located instanceof SyncCredsError) return [checkNoLogin(located, { exit: 4 })];
  const checks = checkLogin(located.credentials, now, {
    exit: 4,
    cure: [LOG_IN],
    renew: ["Let Claude Code renew it: `sync-creds refresh`"],
    mustBeFresh: true,
    isProven: false,
  });
  return [...checks, ...located.notes.map((text) => note("saved", text))];
}

/** What this laptop last put on hosts that are not looked at now, where that was another login than it has today. */
function driftOf(
  hosts: readonly Host[],
  { entries }: Ledger,
  fingerprint: string | undefined,
  now: number,
): Check[] {
  if (fingerprint === undefined) return [];
  return hosts
    .filter(({ delivery }) => delivery === "access-token" || delivery === "full-login")
    .flatMap(({ name }) => {
      const last = entries.findLast(
        (entry) => entry.host === name && entry.fingerprint !== undefined,
      );
      if (last === undefined) return [];
      const when = `pushed ${renderInstant(last.at, now)}`;
      if (last.fingerprint === fingerprint)
        return [ok("drift", `${name} was given this login, ${when}`)];
      return [
        warn(
          "drift",
          `${name} was given ${last.fingerprint}, ${when}; this laptop has ${fingerprint} now`,
          {
            cure: [`Push the new one: \`sync-creds push ${name}\``],
            exit: 14,
          },
        ),
      ];
    });
}

/** Its login is nobody's concern: what was found is told, and calls for nothing. */
function needNot(check: Check): Check {
  const isAboutLogin = ["saved", "form", "expiry"].includes(check.topic);
  if (check.mark === "ok" || check.mark === "note" || !isAboutLogin) return check;
  const what = `${check.what}; no host that is looked at gets it`;
  return { ...check, mark: "note", exit: 0, cure: [], what };
}

/** The settings of Claude Code and the start files of shells, as far as they are there and can be read. */
async function readStartFiles(ports: Ports): Promise<Map<string, Buffer>> {
  const settings = [userSettingsPath(ports), managedSettingsPath(ports)];
  const starts =
    ports.platform === "win32" ? [] : START_FILES.map((name) => `${ports.home}/${name}`);
  const files = await Promise.all(
    [...settings, ...starts].map(async (path) => {
      const file = await ports.files.read(path).catch(() => undefined);
      return file === undefined ? [] : ([[path, file.bytes]] as const);
    }),
  );
  return new Map(files.flat());
}
