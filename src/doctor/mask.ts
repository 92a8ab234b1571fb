import type { Host } from "../hosts/host.ts";
import { redact, sanitize } from "../output/sanitize.ts";
import type { Secret } from "../secret.ts";

/** What must not be told to a stranger besides secrets, and what stands for it. */
export interface Names {
  /** The hosts in the order that numbers them: `host-1`. */
  readonly hosts: readonly Host[];
  /** Homes of accounts, here and there. */
  readonly homes: readonly string[];
  /** Accounts and machines, here and there. */
  readonly others: readonly string[];
  readonly secrets: readonly Secret[];
}

/** A text for strangers: no secret in any spelling, no address, no name of a machine, an account or a home. */
export function maskFor({ hosts, homes, others, secrets }: Names): (text: string) => string {
  const known = new Map<string, string>();
  hosts.forEach(({ name, ssh }, at) => {
    known.set(name, `host-${at + 1}`);
    if (!LOOPBACK.test(ssh.host)) known.set(ssh.host, `address-${at + 1}`);
    if (ssh.user !== undefined) known.set(ssh.user, "ACCOUNT");
  });
  for (const name of others) if (!PLAIN_ACCOUNTS.has(name)) known.set(name, "NAME");
  const inOrder = [...known]
    .filter(([name]) => name.length > 1)
    .sort(([a], [b]) => b.length - a.length);
  const ofHomes = homes.filter((home) => home.length > 1).sort((a, b) => b.length - a.length);
  return (text) => {
    let masked = sanitize(redact(text, secrets), { maxLength: 1000, maxLines: 10_000 });
    for (const home of ofHomes) masked = masked.replaceAll(home, "~");
    for (const [name, mask] of inOrder) masked = masked.replace(wordOf(name), mask);
    return masked
      .replace(EMAIL, "[e-mail]")
      .replace(ADDRESS, (address) => (LOOPBACK.test(address) ? address : "[address]"));
  };
}

/**
 * A line of a log, which may hold what nobody thought of: every long word of mixed characters is taken for a secret,
 * and so is whatever follows a word that announces one.
 */
export function maskLog(line: string): string {
  return line
    .replace(
      /\b((?:proxy-)?authorization|bearer|api[-_ ]?key|token|password|secret|cookie)(["']?\s*[:=]?\s*["']?)(?:Bearer\s+)?[^\s"',;}]{6,}/gi,
      "$1$2[masked]",
    )
    .replace(/[A-Za-z0-9_+=%~-]{16,}/g, (word) => (/\d/.test(word) ? "[masked]" : word));
}

/** Names that say nothing, and words that a text is full of. */
const PLAIN_ACCOUNTS = new Set(["root", "claude", "node", "localhost", "unknown", "?"]);

function wordOf(name: string): RegExp {
  return new RegExp(`(?<![\\w.-])${name.replace(/[^\w]/g, String.raw`\$&`)}(?![\\w-]|\\.\\w)`, "g");
}

const EMAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;
const ADDRESS =
  /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?![\w:])/gi;
const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|0\.0\.0\.0|::1?|localhost)$/;
