import type { Ports, Ran } from "../ports.ts";
import { keychainService } from "./sources.ts";

/** What the macOS Keychain said. `locked` is what a session over SSH sees. */
export type KeychainAnswer =
  | { readonly kind: "found"; readonly bytes: Buffer }
  | { readonly kind: "absent" }
  | { readonly kind: "locked" }
  | { readonly kind: "unreadable"; readonly why: string };

/** errSecItemNotFound and errSecInteractionNotAllowed, as `security` puts them into its exit status. */
const ABSENT = 44;
const LOCKED = 36;

/**
 * How the item is asked for. The account is always named: an item of the same service and another account may hold nothing
 * but MCP logins (reported with 2.1.x).
 */
export function keychainArguments({ env, userName }: Pick<Ports, "env" | "userName">): string[] {
  // `unknown` is what the ports say where the system knows no name: just the account of such an item.
  const systemName = userName === "unknown" ? "" : userName;
  const account = env["USER"] || systemName || "claude-code-user";
  return ["find-generic-password", "-a", account, "-s", keychainService(env), "-w"];
}

/** What `security` meant. Nothing but its own word for it is taken for an absent item. */
export function readKeychainAnswer({ code, stdout }: Ran): KeychainAnswer {
  if (code === 0) return { kind: "found", bytes: decodeItem(stdout.replace(/\n$/, "")) };
  if (code === ABSENT) return { kind: "absent" };
  if (code === LOCKED) return { kind: "locked" };
  return { kind: "unreadable", why: `\`security\` ended with status ${code}` };
}

/** One byte that is no printable ASCII, and the whole item comes in hexadecimal digits. No login is digits only. */
function decodeItem(text: string): Buffer {
  return Buffer.from(text, /^(?:[0-9a-f]{2})+$/i.test(text) ? "hex" : "utf8");
}
