import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import { sanitize } from "../output/sanitize.ts";
import type { Finding } from "../remote/shadow-fact.ts";
import type { Baseline } from "./plan.ts";

/** Another run holds the lock of the host. */
export function locked(holder: string): SyncCredsError {
  return new SyncCredsError("LOCKED", "another push is at work on this host", {
    why: `the lock is held by ${sanitize(holder, { maxLength: 100 })}`,
    next: ["Wait for it to end, then push again"],
  });
}

/** The wrapper cannot be asked, so no verdict is to be had. */
export function unusable(host: Host, meaning: string): SyncCredsError {
  return new SyncCredsError("WRAPPER_UNUSABLE", "no verdict is to be had from this wrapper", {
    why: `asked before any change at ${host.wrapper.url}: ${meaning}`,
    next: ["Correct `wrapper` in hosts.json (url, chat, bearer), then push again"],
  });
}

/** The chain guard found a login that is not ours to overwrite. */
export function ownLogin(host: Host, why: string): SyncCredsError {
  return new SyncCredsError("HOST_LOGIN_CONFLICT", "the host has a login that is not from here", {
    why: `${why}; writing ours would destroy it`,
    next: [
      'Keep it: leave the host alone, or set `"delivery": "own-login"` for it in hosts.json',
      `Overwrite it (a backup stays on the host): \`sync-creds push ${host.name} --force\``,
      ...(host.delivery === "full-login"
        ? []
        : [
            'Or hand this laptop\'s login over for good: `"delivery": "full-login"`, with `--force`',
          ]),
    ],
  });
}

/** Delivery `own-login`, and the host's own login does not answer. */
export function ownLoginFails(host: Host, meaning: string): SyncCredsError {
  return new SyncCredsError("OWN_LOGIN_FAILED", "the host's own login does not answer", {
    why: `asked at ${host.wrapper.url}: ${meaning}`,
    next: [
      "Log in on the host, as the wrapper's account: `claude auth login`",
      'Or let this laptop provide: `"delivery": "access-token"` in hosts.json',
    ],
  });
}

/** A file that a change would touch is not one that can be changed safely. */
export function unfitFile(path: string, why: string): SyncCredsError {
  return new SyncCredsError("TARGET_UNSAFE", `${path} on the host cannot be changed safely`, {
    why,
    next: ["Mend it on HOST, then push again"],
  });
}

interface Circumstances {
  readonly uncurable: readonly Finding[];
  readonly clearShadows: boolean;
  readonly baseline: Baseline;
}

/** Something outranks the delivery: a push would change a file that nobody reads. */
export function shadowed(
  host: Host,
  shadows: readonly Finding[],
  { uncurable, clearShadows, baseline }: Circumstances,
): SyncCredsError {
  const named = shadows.map(nameFinding).join("; ");
  const works = baseline.passed ? "; the wrapper answers now, but not by what is pushed" : "";
  const clear = `Let sync-creds remove it, in the same transaction: \`sync-creds push ${host.name} --clear-shadows\``;
  const byHand = (clearShadows ? uncurable : shadows).map(
    (finding) => `Remove ${nameFinding(finding)}, then push again`,
  );
  return new SyncCredsError("SHADOWED", "something on the host outranks what this push brings", {
    why: `${named}${works}`,
    next: [
      ...(uncurable.length === 0 ? [clear] : []),
      ...byHand,
      "See each with its place and cure: `sync-creds doctor HOST`",
    ],
  });
}

/** `ANTHROPIC_API_KEY in /etc/default/wrapper, line 3`. */
function nameFinding({ name, sources }: Finding): string {
  const files = sources.filter(({ path }) => path !== undefined);
  if (files.length === 0) return `${name} in the wrapper's environment`;
  const places = files.map(({ path = "", line }) =>
    sanitize(line === undefined ? path : `${path}, line ${line}`, { maxLength: 200 }),
  );
  return `${name} in ${places.join(" and ")}`;
}
