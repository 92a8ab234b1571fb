import type { AsyncEntry } from "@napi-rs/keyring";
import { setTimeout as wait } from "node:timers/promises";
import type { Keychain } from "./ports.ts";
import { Secret } from "./secret.ts";

/** Every token of ours stands under this name in the system's own list. */
const SERVICE = "sync-creds";
/** A dialog that wants the keychain's password may have come up where nobody sits. */
const PATIENCE_MS = 30_000;

/** The keychain of this system. The only place that knows the library, which is loaded when it is first used. */
export const nodeKeychain: Keychain = {
  read: (name) =>
    withEntry(name, async (entry) => {
      const value = await entry.getPassword();
      return value === null ? undefined : new Secret(value);
    }),
  write: (name, secret) => withEntry(name, (entry) => entry.setPassword(secret.reveal())),
  remove: (name) => withEntry(name, async (entry) => void (await entry.deletePassword())),
};

async function withEntry<T>(name: string, use: (entry: AsyncEntry) => Promise<T>): Promise<T> {
  const { AsyncEntry: Entry } = await import("@napi-rs/keyring");
  // Without it the library would take the kernel's keyring where there is no other, and that forgets all at a reboot.
  const entry = new Entry(SERVICE, name, { linux: { store: "secret-service" } });
  const enough = new AbortController();
  try {
    return await Promise.race([use(entry), giveUp(enough.signal)]);
  } finally {
    enough.abort();
  }
}

async function giveUp(signal: AbortSignal): Promise<never> {
  await wait(PATIENCE_MS, undefined, { signal });
  throw new Error(`no answer within ${PATIENCE_MS / 1000} s; it may be waiting for its password`);
}
