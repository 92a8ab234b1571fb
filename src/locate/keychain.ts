import type { Ports, Ran } from "../ports.ts";
import { keychainService } from "./sources.ts";

/** Which item of the macOS Keychain holds this user's login. */
export interface KeychainItem {
  readonly service: string;
  readonly account: string;
}

/** What the Keychain said. */
export type KeychainAnswer =
  | { readonly kind: "item"; readonly bytes: Buffer }
  | { readonly kind: "absent" }
  /** It would have to ask its user, and cannot: usual over SSH. */
  | { readonly kind: "locked" }
  | { readonly kind: "unreadable"; readonly why: string };

/** By its whole path: another `security` in the PATH would be handed the login. */
export const SECURITY = "/usr/bin/security";

const ITEM_NOT_FOUND = 44;
const INTERACTION_NOT_ALLOWED = 36;

/** The item that Claude Code reads and writes, in the same environment. */
export function keychainItem({ env, userName }: Pick<Ports, "env" | "userName">): KeychainItem {
  // The ports say `unknown` where the system knows no name; an item of that account has other secrets.
  const systemName = userName === "unknown" ? "" : userName;
  return {
    service: keychainService(env),
    account: env["USER"] || systemName || "claude-code-user",
  };
}

/** The words after `security` that print an item; by service alone the one of another account may come. */
export function keychainQuestion({ service, account }: KeychainItem): string[] {
  return ["find-generic-password", "-a", account, "-s", service, "-w"];
}

/** What `security` meant by its exit status and output. Anything unforeseen is not taken for an absent item. */
export function readKeychainAnswer({ code, stdout }: Ran): KeychainAnswer {
  switch (code) {
    case 0:
      return { kind: "item", bytes: decodeItem(stdout.replace(/\n$/, "")) };
    case ITEM_NOT_FOUND:
      return { kind: "absent" };
    case INTERACTION_NOT_ALLOWED:
      return { kind: "locked" };
    default:
      return { kind: "unreadable", why: `\`security\` ended with ${code ?? "a signal"}` };
  }
}

/** One byte outside printable ASCII, and the whole item comes in hexadecimal digits. No login is digits only. */
function decodeItem(text: string): Buffer {
  return Buffer.from(text, /^(?:[0-9a-f]{2})+$/i.test(text) ? "hex" : "utf8");
}
