import { setupTokenEndsAt } from "../tokens/lifetime.ts";
import { tokenPath } from "../tokens/entries.ts";
import type { TokenEntry } from "../tokens/entries.ts";
import { keychainLabel } from "../tokens/keychain.ts";
import type { Ports } from "../ports.ts";

/** A stored token as the user sees it: never the token. */
export interface TokenView {
  readonly name: string;
  readonly kind: TokenEntry["kind"] | "refresh-token" | "unknown";
  readonly fingerprint?: string;
  /** Epoch milliseconds, where known. */
  readonly issuedAt?: number;
  /** Of a setup token whose issue is known: the end of its year. */
  readonly endsAt?: number;
  /** Whole days since the issue, rounded down. */
  readonly ageDays?: number;
  /** Days until the end, rounded up; 0 or less when it is over. */
  readonly daysLeft?: number;
  readonly store: TokenEntry["store"];
  /** The keychain's name, or the path of the file with `~` for home. */
  readonly place: string;
  /** Why it cannot be used as it is. */
  readonly problem?: string;
}

/** The view of a token by its entry. */
export function viewOf(name: string, entry: Partial<TokenEntry>, ports: Ports): TokenView {
  const { kind = "unknown", fingerprint, issuedAt, store = "file" } = entry;
  const endsAt =
    kind === "setup-token" && issuedAt !== undefined ? setupTokenEndsAt(issuedAt) : undefined;
  return {
    name,
    kind,
    ...(fingerprint !== undefined && { fingerprint }),
    ...(issuedAt !== undefined && {
      issuedAt,
      ageDays: Math.floor((ports.now() - issuedAt) / DAY_MS),
    }),
    ...(endsAt !== undefined && { endsAt, daysLeft: Math.ceil((endsAt - ports.now()) / DAY_MS) }),
    store,
    place: store === "keychain" ? keychainLabel(ports) : shorten(tokenPath(name, ports), ports),
  };
}

/** One line about a token that was just stored. */
export function describeToken(view: TokenView): string {
  const { name, kind, fingerprint = "", place, daysLeft } = view;
  const left = daysLeft === undefined ? "" : `; ${renderLeft(view)}`;
  return `${name}: ${KINDS[kind]} ${fingerprint}, stored in ${place}${left}`;
}

/** How long a token will live, for a person. */
export function renderLeft({ daysLeft, endsAt }: TokenView): string {
  if (daysLeft === undefined || endsAt === undefined) return "-";
  if (daysLeft <= 0) return "over";
  return daysLeft === 1 ? "1 day left" : `${daysLeft} days left`;
}

/** How old a token is, for a person. */
export function renderAge({ ageDays }: TokenView): string {
  if (ageDays === undefined) return "-";
  if (ageDays < 1) return "today";
  return ageDays === 1 ? "1 day" : `${ageDays} days`;
}

/** The names of kinds, for a person. */
export const KINDS: Readonly<Record<TokenView["kind"], string>> = {
  "setup-token": "setup token",
  "api-key": "API key",
  "refresh-token": "refresh token",
  other: "other secret",
  unknown: "unknown",
};

const DAY_MS = 24 * 60 * 60_000;

function shorten(path: string, { home }: Ports): string {
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
