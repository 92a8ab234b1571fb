import { errorCodeOf } from "../hosts/local-path.ts";
import type { Ports } from "../ports.ts";
import { keychainArguments, readKeychainAnswer } from "./keychain.ts";
import type { KeychainAnswer } from "./keychain.ts";
import { pause } from "./pause.ts";

/** By its whole path: another `security` in the PATH would be handed the login. */
const PROGRAM = "/usr/bin/security";
const PATIENCE_MS = 5000;
const PAUSE_MS = 300;

/**
 * Reads Claude Code's login from the Keychain with Apple's own program, which asks nobody. What fails is tried once more:
 * failures that pass are known (changelog of 2.1.84). Error: `INTERRUPTED`.
 */
export async function readKeychain(ports: Ports, signal?: AbortSignal): Promise<KeychainAnswer> {
  const first = await ask(ports);
  if (first.kind === "found" || first.kind === "absent") return first;
  await pause(PAUSE_MS, ports, signal);
  return await ask(ports);
}

async function ask(ports: Ports): Promise<KeychainAnswer> {
  try {
    const argv = keychainArguments(ports);
    return readKeychainAnswer(await ports.run(PROGRAM, argv, { timeoutMs: PATIENCE_MS }));
  } catch (error) {
    const isSlow = errorCodeOf(error) === "ETIMEDOUT";
    const why = isSlow
      ? "`security` did not answer within 5 s; it may be asking for leave in a window on the Mac's screen"
      : "`security` could not be started";
    return { kind: "unreadable", why };
  }
}
