import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import { sanitize } from "../output/sanitize.ts";
import { AWAIT_IT, renderHolder } from "../remote/lock-holder.ts";
import type { Finding } from "../remote/shadow-fact.ts";
import type { Baseline, PlanQuestion } from "./plan.ts";

/** Another run holds the lock of the host. */
export function locked(holder: string): SyncCredsError {
  return new SyncCredsError("LOCKED", "another push is at work on this host", {
    why: `the lock is held by ${renderHolder(holder)}`,
    next: [...AWAIT_IT],
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

/** The file of a switch is not there. */
export function noFile(path: string, name: string): SyncCredsError {
  return new SyncCredsError("TARGET_UNSAFE", `${path} is not on the host`, {
    why: `the switch ${name} edits it, and there is nothing to edit`,
    next: [`Correct \`switches.${name}.file\` in hosts.json`],
  });
}

/** The text of a switch does not stand in its file exactly once. */
export function unclearSwitch(
  path: string,
  { name, to, times }: { readonly name: string; readonly to: "on" | "off"; readonly times: number },
): SyncCredsError {
  const text = to === "on" ? "find" : "put";
  return new SyncCredsError(
    "SWITCH_UNCLEAR",
    times === 0
      ? `the text of the switch ${name} stands nowhere in ${path}`
      : `the text of the switch ${name} stands ${times} times in ${path}`,
    {
      why: "an edit is made only where it can mean one place, and can be taken back",
      next: [
        `Compare \`switches.${name}.${text}\` in hosts.json with the file, and make it longer or correct it`,
      ],
    },
  );
}

/** A failover, and no key to fail over to. */
export function noKey({ name }: Host): SyncCredsError {
  return new SyncCredsError("BACKUP_UNKNOWN", "no API key lies ready on the host", {
    why: "a push that succeeds puts it there, and a rollback may have taken it away",
    next: [
      `While a login works: \`sync-creds push ${name}\``,
      'When none does: `"delivery": "api-key"` and `"place": "helper"` in hosts.json, then the same push',
    ],
  });
}

/** There is no backup, or none of that name. */
export function noBackup({ name }: Host, wanted: string | undefined): SyncCredsError {
  return wanted === undefined
    ? new SyncCredsError("BACKUP_UNKNOWN", "the host keeps no backup to restore", {
        why: "every change that is committed leaves one; there was none, or they were pruned",
        next: [`Push instead: \`sync-creds push ${name}\``],
      })
    : new SyncCredsError("BACKUP_UNKNOWN", "the host keeps no backup of that name", {
        why: `${sanitize(wanted, { maxLength: 64 })} is the beginning of none, or of several`,
        next: [`See which there are: \`sync-creds backups ${name}\``],
      });
}

/** A switch has a way back of its own: it restarts and asks its own app. */
export function backupOfSwitch({ name }: Host, what: string): SyncCredsError {
  const words = sanitize(what, { maxLength: 100 }).split(" ");
  const back = words.at(-1) === "on" ? "off" : "on";
  return new SyncCredsError("BACKUP_UNKNOWN", "that backup is of a switch, not of credentials", {
    why: `it was made by \`${words.join(" ")}\`: a rollback would restart the wrapper, not its app`,
    next: [`Take it back: \`sync-creds switch ${name} ${words.slice(1, -1).join(" ")} ${back}\``],
  });
}

/** The copy is not what was copied, or was too large to be read. */
export function damagedBackup(path: string): SyncCredsError {
  return new SyncCredsError("BACKUP_UNKNOWN", `the copy of ${path} cannot be used`, {
    why: "it is gone, over 256 KiB, or does not match its own checksum",
    next: ["Choose another one: `sync-creds backups HOST`"],
  });
}

/** Somebody else has written since: a rollback would destroy that. */
export function changedSince({ name }: Host, paths: readonly string[]): SyncCredsError {
  const isOne = paths.length === 1;
  return new SyncCredsError("FILE_CHANGED", "something else has changed the host since", {
    why: `${paths.join(" and ")} ${isOne ? "is not as our last change has left it" : "are not as our last change has left them"}`,
    next: [
      `See what would go: \`sync-creds rollback ${name} --dry-run --force\``,
      `Restore over it (a backup stays on the host): \`sync-creds rollback ${name} --force\``,
    ],
  });
}

/** The backup holds a login that cannot work any more. */
export function deadBackup({ name }: Host, why: string): SyncCredsError {
  return new SyncCredsError("BACKUP_DEAD", "that backup holds a dead login", {
    why,
    next: [
      `Choose another one: \`sync-creds backups ${name}\`, then \`sync-creds rollback ${name} --to ID\``,
      `Or push a living one: \`sync-creds push ${name}\``,
      `Restore it all the same: \`sync-creds rollback ${name} --force\``,
    ],
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
  const clear = `\`sync-creds push ${host.name} --clear-shadows\``;
  const then =
    clearShadows || uncurable.length === shadows.length
      ? "Then push again"
      : `Then let sync-creds remove the rest: ${clear}`;
  return new SyncCredsError("SHADOWED", "something on the host outranks what this push brings", {
    why: `${named}${works}`,
    next:
      uncurable.length === 0
        ? [
            `Let sync-creds remove it, in the same transaction: ${clear}`,
            "Or remove it yourself, as `sync-creds doctor HOST` says, then push again",
          ]
        : [
            ...uncurable.map((finding) => `Remove ${nameFinding(finding)}: only you can`),
            then,
            "See each with its place and cure: `sync-creds doctor HOST`",
          ],
  });
}

/** Delivery `own-login`: an answer by another credential says nothing about that login. */
export function ownShadowed({ shadows, baseline }: PlanQuestion): SyncCredsError {
  const works = baseline.passed ? "; the wrapper answers, but not by that login" : "";
  return new SyncCredsError("SHADOWED", "something on the host outranks its own login", {
    why: `${shadows.map(nameFinding).join("; ")}${works}`,
    next: [
      ...shadows.map((finding) => `Remove ${nameFinding(finding)}`),
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
