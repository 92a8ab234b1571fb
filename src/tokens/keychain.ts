import { SyncCredsError } from "../errors.ts";
import { errorCodeOf } from "../hosts/local-path.ts";
import { sanitize } from "../output/sanitize.ts";
import type { Keychain, Ports } from "../ports.ts";
import type { TokenStore } from "./entries.ts";

const VARIABLE = "SYNC_CREDS_TOKEN_STORE";

/**
 * Where new tokens may go, best first, by SYNC_CREDS_TOKEN_STORE: `keychain`, `file`, or `auto`, which is the keychain
 * and, where that does not work, a file. In an SSH session `auto` is the file: the keychain is locked there, or asks for
 * its password on a screen far away. Error: `USAGE`.
 */
export function storesFor({ env }: Ports): { stores: readonly TokenStore[]; notes: string[] } {
  const wanted = env[VARIABLE] || "auto";
  if (wanted === "file" || wanted === "keychain") return { stores: [wanted], notes: [] };
  if (wanted !== "auto") {
    throw new SyncCredsError("USAGE", `${VARIABLE} must be \`auto\`, \`keychain\` or \`file\``, {
      why: "it says where tokens are kept",
      next: [`Run \`unset ${VARIABLE}\`, or set it to one of these`],
    });
  }
  if (!isOverSsh(env)) return { stores: ["keychain", "file"], notes: [] };
  return {
    stores: ["file"],
    notes: [`in an SSH session a file is used; for the keychain set \`${VARIABLE}=keychain\``],
  };
}

/** The keychain, unless the user keeps us from it: then an error as the keychain itself would give. */
export function keychainFor({ env, keychain }: Ports): Keychain {
  if (env[VARIABLE] !== "file") return keychain;
  throw new Error(`${VARIABLE} is \`file\``);
}

/** How a sentence names the keychain of a system. */
export function keychainLabel({ platform }: Pick<Ports, "platform">): string {
  if (platform === "darwin") return "the Keychain";
  return platform === "win32" ? "the Credential Manager" : "the keyring";
}

/** Why a store failed, in one line. */
export function whyNot(error: unknown): string {
  if (error instanceof SyncCredsError) return error.why ?? error.message;
  const text = error instanceof Error ? error.message : errorCodeOf(error);
  return sanitize(text, { maxLength: 160 });
}

function isOverSsh(env: Ports["env"]): boolean {
  return (env["SSH_CONNECTION"] ?? "") !== "" || (env["SSH_TTY"] ?? "") !== "";
}
