import { fingerprintOf } from "../credentials/fingerprint.ts";
import { parseCredentials } from "../credentials/parse.ts";
import { bad, note, ok, warn } from "../diagnosis.ts";
import type { Check } from "../diagnosis.ts";
import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import { describeHostLogin } from "../plan/changes.ts";
import type { HostLogin } from "../plan/chain-guard.ts";
import { pathsOf, variableOf } from "../plan/own-files.ts";
import type { ProbeReport } from "../remote/probe-report.ts";
import { Secret } from "../secret.ts";
import { checkLogin, checkNoLogin } from "./login-checks.ts";

/** What a host's login is compared with. */
export interface Comparison {
  /** Of this laptop's tokens. */
  readonly fingerprint: string | undefined;
  readonly refreshFingerprint: string | undefined;
  /** Fingerprints that this laptop wrote to this host before, the latest last. */
  readonly lastWritten: readonly string[];
  /** The wrapper was seen to work. */
  readonly isProven: boolean;
}

/** The causes `not saved`, `malformed` and `expired` on a host, by the host's own clock; and whose login it is. */
export function checkHostLogin(host: Host, report: ProbeReport, known: Comparison): Check[] {
  const { means } = host;
  if (means === "file" || means === "none") {
    const login = describeHostLogin(report.file);
    return [
      ...ofFile(host, report, known),
      ...shared(host, login, known),
      ...drift(host, login, known),
    ];
  }
  return ofToken(host, report, known);
}

function ofFile(host: Host, report: ProbeReport, { isProven }: Comparison): Check[] {
  const path = pathsOf(report.configDir).credentials;
  const cure = [cureOf(host)];
  if (report.file === undefined) {
    const isThere = report.fileEntry.kind !== "absent";
    const what = isThere ? `${path} cannot be read` : `there is no ${path}`;
    const why = isThere
      ? `it is a ${report.fileEntry.kind} of mode ${report.fileEntry.mode}`
      : `a wrapper of ${report.user} looks for its login there`;
    const error = new SyncCredsError("CREDENTIALS_NOT_FOUND", what, { why, next: cure });
    return [checkNoLogin(error, { exit: 10 })];
  }
  return checkLogin(parseCredentials(report.file, path), report.clock, {
    exit: 10,
    cure,
    renew: cure,
    mustBeFresh: false,
    isProven,
  });
}

function cureOf({ delivery }: Host): string {
  return delivery === "own-login"
    ? "Log in on HOST as the wrapper's account: `claude`, then `/login`"
    : "Push a login: `sync-creds push HOST`";
}

/** One refresh token with two holders: the first of them that renews logs the other out. */
function shared({ delivery }: Host, login: HostLogin, { refreshFingerprint }: Comparison): Check[] {
  if (refreshFingerprint === undefined || login.refreshFingerprint !== refreshFingerprint)
    return [];
  return [
    bad("shared", `this laptop and the host share one refresh token (${refreshFingerprint})`, {
      evidence: [
        "it works once: the first of them that renews its login logs the other out, within 8 hours",
      ],
      cure: [
        delivery === "full-login"
          ? "Log in anew on this laptop: `claude`, then `/login`; the host then keeps the one it was given"
          : "Push to HOST without it: `sync-creds push HOST`",
      ],
      code: "TOKEN_SHARED",
      exit: 10,
    }),
  ];
}

function drift(
  { delivery }: Host,
  { fingerprint, refreshFingerprint }: HostLogin,
  known: Comparison,
): Check[] {
  if (fingerprint === undefined) return [];
  if (delivery === "own-login") return [ok("drift", `${fingerprint} is the host's own login`)];
  const { lastWritten } = known;
  if (delivery === "setup-token") return ofLedger(fingerprint, lastWritten);
  if (fingerprint === known.fingerprint) return [ok("drift", "the same login as this laptop's")];
  const mine = known.fingerprint === undefined ? "" : `; this laptop has ${known.fingerprint} now`;
  const wasHandedOver =
    refreshFingerprint !== undefined && lastWritten.includes(refreshFingerprint);
  if (lastWritten.includes(fingerprint) || wasHandedOver) {
    const what = `it has ${fingerprint}, which this laptop gave it${mine}`;
    // Handed over, it goes its own way.
    if (delivery === "full-login" || known.fingerprint === undefined) return [note("drift", what)];
    return [warn("drift", what, { cure: ["Push the new one: `sync-creds push HOST`"], exit: 14 })];
  }
  const isOwn = refreshFingerprint !== undefined && refreshFingerprint !== known.refreshFingerprint;
  return [
    warn("drift", `it has ${fingerprint}, which this laptop never gave it${mine}`, {
      evidence: isOwn
        ? ["it has a refresh token: a login of its own, which a push does not overwrite"]
        : [],
      cure: isOwn
        ? [
            'Keep it with `"delivery": "own-login"`, or overwrite it: `sync-creds push HOST --force`',
          ]
        : ["Push the login of this laptop: `sync-creds push HOST`"],
      exit: 14,
    }),
  ];
}

function ofLedger(fingerprint: string, lastWritten: readonly string[]): Check[] {
  if (lastWritten.at(-1) === fingerprint) return [ok("drift", "as this laptop last left it")];
  return [
    warn("drift", `it has ${fingerprint}, which this laptop did not put there last`, {
      cure: ["Push again: `sync-creds push HOST`"],
      exit: 14,
    }),
  ];
}

/** A token or key that reaches Claude Code by a file of ours, or by an env file of the user's own. */
function ofToken(host: Host, report: ProbeReport, { lastWritten }: Comparison): Check[] {
  const { env, key } = pathsOf(report.configDir);
  const variable = variableOf(host);
  const path = variable === undefined ? key : (ownEnvFile(host, report) ?? env);
  const text = report.files.get(path)?.bytes?.toString("utf8") ?? "";
  const value = variable === undefined ? text.trim() : valueIn(text, variable);
  if (value === "") {
    const cure = ["Push it: `sync-creds push HOST`"];
    return [
      bad("saved", `${path} does not hold ${variable ?? "the API key"}`, {
        evidence: ["it is not there, cannot be read, or sets something else"],
        cure,
        exit: 10,
        code: "CREDENTIALS_NOT_FOUND",
      }),
    ];
  }
  const fingerprint = fingerprintOf(new Secret(value));
  return [ok("saved", `${fingerprint} in ${path}`), ...ofLedger(fingerprint, lastWritten)];
}

/** The env file that hosts.json names, as an absolute path. */
export function ownEnvFile({ envFile }: Host, { home }: ProbeReport): string | undefined {
  return envFile?.replace(/^~(?=\/)/, home);
}

function valueIn(text: string, variable: string): string {
  const line = text.split("\n").find((one) => one.startsWith(`${variable}=`));
  return (
    line
      ?.slice(variable.length + 1)
      .trim()
      .replace(/^(["'])(.*)\1$/, "$2") ?? ""
  );
}
