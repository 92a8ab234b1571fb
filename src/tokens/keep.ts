import { fingerprintOf } from "../credentials/fingerprint.ts";
import { SyncCredsError } from "../errors.ts";
import type { Keychain, Ports } from "../ports.ts";
import type { Secret } from "../secret.ts";
import { readEntry, removeEntry, tokenPath, unwritable, writeEntry } from "./entries.ts";
import type { TokenEntry, TokenStore } from "./entries.ts";
import { keychainFor, keychainLabel, storesFor, whyNot } from "./keychain.ts";

/** Where a token went, and what the user should know about that. */
export interface Kept {
  readonly entry: TokenEntry;
  readonly notes: readonly string[];
}

/**
 * Stores a token with what is known of it: in the keychain, or where none works, or the user wants it so, in a file.
 * One of that name is replaced, wherever it is. Error: `TOKEN_STORE`; then what was there is there still.
 */
export async function keepToken(
  name: string,
  secret: Secret,
  facts: Pick<TokenEntry, "kind" | "issuedAt">,
  ports: Ports,
): Promise<Kept> {
  const { stores, notes } = storesFor(ports);
  const former = await readEntry(name, ports).catch(() => undefined);
  const obstacles: string[] = [];
  for (const store of stores) {
    const entry = { ...facts, fingerprint: fingerprintOf(secret), store };
    // First the entry: a secret that stands in the keychain without one would be lost there.
    await writeEntry(name, entry, ports);
    try {
      await write(name, secret, store, ports);
    } catch (error) {
      const place = store === "keychain" ? keychainLabel(ports) : tokenPath(name, ports);
      obstacles.push(`${place} cannot be used (${whyNot(error)})`);
      continue;
    }
    const leftover = await removeElsewhere(name, store, former, ports);
    return { entry, notes: [...notes, ...obstacles.map(noteObstacle), ...leftover] };
  }
  await (former === undefined ? removeEntry(name, ports) : writeEntry(name, former, ports));
  throw new SyncCredsError("TOKEN_STORE", `the token ${name} could not be stored`, {
    why: obstacles.join("; "),
    next: [
      `Make the folder of ${tokenPath(name, ports)} writable, or set \`SYNC_CREDS_TOKEN_STORE=file\` where the keychain is locked`,
    ],
  });
}

/** Removes a token and what is known of it. Error: `TOKEN_STORE`; then the token is there still. */
export async function forgetToken(name: string, ports: Ports): Promise<void> {
  // An entry that cannot be read may be about one in the keychain.
  const entry = await readEntry(name, ports).catch(() => ({ store: "keychain" }) as const);
  if (entry?.store === "keychain") {
    await removeFromKeychain(name, ports).catch((error: unknown) => {
      throw new SyncCredsError("TOKEN_STORE", `the token ${name} could not be removed`, {
        why: `the keychain: ${whyNot(error)}`,
        next: ["Unlock the keychain, then run the command again"],
      });
    });
  }
  await removeFile(name, ports);
  await removeEntry(name, ports);
}

async function write(name: string, secret: Secret, store: TokenStore, ports: Ports): Promise<void> {
  if (store === "keychain") return await writeToKeychain(name, secret, keychainFor(ports));
  await ports.files.writePrivate(tokenPath(name, ports), Buffer.from(`${secret.reveal()}\n`));
}

/** What cannot be read back would be missed at the next push. */
async function writeToKeychain(name: string, secret: Secret, keychain: Keychain): Promise<void> {
  await keychain.write(name, secret);
  const kept = await keychain.read(name);
  if (kept?.equals(secret) !== true) throw new Error("it did not keep the token");
}

async function removeElsewhere(
  name: string,
  store: TokenStore,
  former: TokenEntry | undefined,
  ports: Ports,
): Promise<string[]> {
  try {
    if (store === "keychain") await removeFile(name, ports);
    else if (former?.store === "keychain") await removeFromKeychain(name, ports);
    return [];
  } catch (error) {
    const place = store === "keychain" ? tokenPath(name, ports) : "the keychain";
    return [`the former token stays in ${place}, unused: ${whyNot(error)}`];
  }
}

async function removeFile(name: string, ports: Ports): Promise<void> {
  const path = tokenPath(name, ports);
  await ports.files.remove(path).catch((error: unknown) => {
    throw unwritable(path, error);
  });
}

async function removeFromKeychain(name: string, ports: Ports): Promise<void> {
  await keychainFor(ports).remove(name);
}

function noteObstacle(obstacle: string): string {
  return `kept in a file, for ${obstacle}`;
}
