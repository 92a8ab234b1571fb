import type { Ports } from "../ports.ts";
import { keychainService } from "./sources.ts";

/** What the macOS Keychain said. `locked` is what a session over SSH sees. */
export type KeychainAnswer =
  | { readonly kind: "found"; readonly bytes: Buffer }
  | { readonly kind: "absent" }
  | { readonly kind: "locked" }
  | { readonly kind: "unreadable"; readonly why: string };

const PROGRAM = "/usr/bin/security";
const PATIENCE_MS = 5000;
const PAUSE_MS = 300;
/** errSecItemNotFound and errSecInteractionNotAllowed, as `security` puts them into its exit status. */
const ABSENT = 44;
const LOCKED = 36;

/**
 * Reads Claude Code's login from the Keychain with Apple's own program, which asks nobody. What fails is tried once more:
 * failures that pass are known (changelog of 2.1.84). Never rejects.
 */
export async function readKeychain(ports: Ports): Promise<KeychainAnswer> {
  const first = await ask(ports);
  if (first.kind === "found" || first.kind === "absent") return first;
  await ports.sleep(PAUSE_MS);
  return await ask(ports);
}

/**
 * How the item is asked for. The account is always named: an item of the same service and another account may hold nothing
 * but MCP logins (reported with 2.1.x).
 */
export function keychainArguments({ env, userName }: Pick<Ports, "env" | "userName">): string[] {
  const account = env["USER"] || userName || "claude-code-user";
  return ["find-generic-password", "-a", account, "-s", keychainService(env), "-w"];
}

async function ask(ports: Ports): Promise<KeychainAnswer> {
  try {
    const { code, stdout } = await ports.run(PROGRAM, keychainArguments(ports), {
      timeoutMs: PATIENCE_MS,
    });
    if (code === 0) return { kind: "found", bytes: Buffer.from(stdout.replace(/\n$/, "")) };
    if (code === ABSENT) return { kind: "absent" };
    if (code === LOCKED) return { kind: "locked" };
    return { kind: "unreadable", why: `\`security\` ended with status ${code}` };
  } catch (error) {
    const isSlow = error instanceof Error && "code" in error && error.code === "ETIMEDOUT";
    const why = isSlow ? "`security` did not answer within 5 s" : "`security` could not be started";
    return { kind: "unreadable", why };
  }
}
