import type { ParsedKey } from "ssh2";
import { SyncCredsError } from "../errors.ts";
import type { Ports } from "../ports.ts";
import type { KeyOffer } from "../remote/open-session.ts";
import { printable } from "../remote/printable.ts";
import type { AgentIdentity } from "../remote/ssh-agent.ts";
import { titleOf } from "./host-key.ts";
import { type Identity, locked, type Skipped, unlockIdentity } from "./identities.ts";
import { keyTypeOf } from "./key-blob.ts";
import type { Keys } from "./keys.ts";
import { fingerprintOfKey } from "./known-hosts.ts";
import type { Route } from "./route.ts";

/** sshd hangs up after six failures (MaxAuthTries), and some hosts allow fewer. */
const MAX_OFFERS = 5;

/** The keys to offer, in order, and those that are not offered, with the reason. */
export interface Attempts {
  readonly offers: readonly KeyOffer[];
  readonly skipped: readonly Skipped[];
}

/**
 * Everything that authentication will need, made ready before the connection: passphrases asked, keys parsed. Identity
 * files come first, then what else the agent holds.
 */
export async function prepareAttempts(
  { identities, agent }: Keys,
  route: Route,
  ports: Ports,
): Promise<Attempts> {
  const agentKeys = await usableAgentKeys(agent.identities, agent.socket);
  const offers: KeyOffer[] = [];
  const skipped: Skipped[] = [...agent.skipped, ...agentKeys.skipped];
  const postponed: Identity[] = [];

  for (const identity of identities) {
    const isLocked = identity.privateKey?.isEncrypted !== false || identity.problem !== undefined;
    const inAgent = agentKeys.offers.find((offer) => holds(offer, identity));
    if (isLocked && inAgent) {
      offers.push({ ...inAgent, label: identity.path });
    } else if (identity.privateKey?.isEncrypted && !route.identitiesAreChosen) {
      postponed.push(identity);
    } else {
      sort(identity.path, await unlockIdentity(identity, route.label, ports), offers, skipped);
    }
  }
  if (!route.identitiesOnly) {
    offers.push(...agentKeys.offers.filter((offer) => !offers.some((one) => isSame(one, offer))));
  }
  // A key that merely lies at a default place is worth a question only if there is no other.
  for (const identity of postponed) {
    if (offers.length === 0) {
      sort(identity.path, await unlockIdentity(identity, route.label, ports), offers, skipped);
    } else {
      skipped.push(locked(identity.path, "it has a passphrase, and other keys could be tried"));
    }
  }
  const tooMany = offers
    .splice(MAX_OFFERS)
    .map(({ label }) => ({ label, why: `only ${MAX_OFFERS} keys are tried` }));
  return { offers, skipped: [...skipped, ...tooMany] };
}

/**
 * Nothing to offer: says so before the host is contacted. Errors: `KEY_UNREADABLE` when hosts.json names
 * the one key, `AUTHENTICATION_FAILED` otherwise.
 */
export function requireOffers({ offers, skipped }: Attempts, route: Route, named?: string): void {
  if (offers.length > 0) return;
  const address = titleOf(route);
  if (!route.methods.includes("publickey")) throw keysForbidden(route);
  const [only] = skipped;
  if (named !== undefined && only !== undefined && skipped.length === 1) {
    throw new SyncCredsError("KEY_UNREADABLE", `the key ${only.label} cannot be used`, {
      why: `${only.why}; ${address} was not contacted`,
      next: only.next === undefined ? ["Check `identityFile` in hosts.json"] : [only.next],
    });
  }
  throw new SyncCredsError("AUTHENTICATION_FAILED", `there is no key to offer to ${address}`, {
    why: `${skipped.length === 0 ? "no identity file and no agent was found" : renderSkipped(skipped)}; the host was not contacted`,
    next: [
      ...skippedNext(skipped),
      "Make a key with `ssh-keygen -t ed25519` and install it with `ssh-copy-id`, or load one with `ssh-add`",
      "If the host takes a password, run sync-creds on a terminal: it asks",
    ],
  });
}

/** The user's own configuration leaves only what a person would have to answer. */
function keysForbidden(route: Route): SyncCredsError {
  return new SyncCredsError("AUTHENTICATION_FAILED", `no key may be offered to ${titleOf(route)}`, {
    why: "your ssh configuration allows none (PubkeyAuthentication, PreferredAuthentications), and there is nobody to ask for a password; the host was not contacted",
    next: ["Run sync-creds on a terminal: it asks", "Or allow keys for this host"],
  });
}

/** The host's refusal, with what was offered and what was not. */
export function explainRefusal(
  error: SyncCredsError,
  { offers, skipped }: Attempts,
  { command }: Route,
): SyncCredsError {
  const offered = offers.map(
    ({ label, key }) =>
      `${printable(label)} (${key.type}, ${fingerprintOfKey(key.getPublicSSH())})`,
  );
  const why = [
    error.why ?? "the host accepted none of the keys",
    ...(offered.length === 0 ? [] : [`offered: ${offered.join(", ")}`]),
    ...(skipped.length === 0 ? [] : [renderSkipped(skipped)]),
  ];
  return new SyncCredsError("AUTHENTICATION_FAILED", error.message, {
    why: why.join("; "),
    next: [
      ...skippedNext(skipped),
      ...(error.next.length > 0
        ? error.next
        : [
            `Check that \`${command}\` works; if it does not, install your key with \`${command.replace(/^ssh/, "ssh-copy-id")}\``,
          ]),
    ],
    cause: error,
  });
}

async function usableAgentKeys(identities: readonly AgentIdentity[], agentSocket: string) {
  const offers: KeyOffer[] = [];
  const skipped: Skipped[] = [];
  if (identities.length === 0) return { offers, skipped };
  const { parsePublicKey } = await import("../remote/ssh-keys.ts");
  for (const { blob, comment } of identities) {
    const label = `${printable(comment) || "a key"} of the agent`;
    const key = parsePublicKey(blob);
    if (key instanceof Error) {
      skipped.push({
        label,
        why: `sync-creds cannot use keys of type ${printable(keyTypeOf(blob))}`,
      });
    } else {
      offers.push({ label, key, agentSocket });
    }
  }
  return { offers, skipped };
}

function sort(label: string, result: ParsedKey | Skipped, offers: KeyOffer[], skipped: Skipped[]) {
  if ("why" in result) skipped.push(result);
  else offers.push({ label, key: result });
}

function holds(offer: KeyOffer, { publicKey }: Identity): boolean {
  return publicKey !== undefined && offer.key.getPublicSSH().equals(publicKey);
}

function isSame(one: KeyOffer, other: KeyOffer): boolean {
  return one.key.getPublicSSH().equals(other.key.getPublicSSH());
}

function renderSkipped(skipped: readonly Skipped[]): string {
  return `not offered: ${skipped.map(({ label, why }) => `${label} (${why})`).join(", ")}`;
}

function skippedNext(skipped: readonly Skipped[]): string[] {
  return skipped.flatMap(({ next }) => next ?? []);
}
