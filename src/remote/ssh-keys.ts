import ssh2 from "ssh2";
import type { ParsedKey } from "ssh2";
import type { Secret } from "../secret.ts";

/**
 * Reads a private key. Costs up to seconds of CPU when it has a passphrase (bcrypt in JavaScript), so
 * call it once per key. Returns the reason, in ssh2's words, when the key cannot be used.
 */
export function parsePrivateKey(text: string, passphrase?: Secret): ParsedKey | Error {
  const key = ssh2.utils.parseKey(text, passphrase?.reveal());
  if (key instanceof Error) return key;
  return key.isPrivateKey() ? key : new Error("it holds no private key");
}

/** A public key in wire format. Returns an `Error` for types that ssh2 cannot use. */
export function parsePublicKey(blob: Buffer): ParsedKey | Error {
  return ssh2.utils.parseKey(blob);
}
