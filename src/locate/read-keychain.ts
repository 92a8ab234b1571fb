import { errorCodeOf } from "../hosts/local-path.ts";
import type { Ports } from "../ports.ts";
import { keychainQuestion, readKeychainAnswer, SECURITY } from "./keychain.ts";
import type { KeychainAnswer, KeychainItem } from "./keychain.ts";
import { pause } from "./pause.ts";

const PATIENCE_MS = 5_000;
const PAUSE_MS = 300;

/** Asks the macOS Keychain for an item, and once more if it could not be read: that may pass. Error: `INTERRUPTED`. */
export async function readKeychain(
  item: KeychainItem,
  ports: Ports,
  signal: AbortSignal | undefined,
): Promise<KeychainAnswer> {
  const answer = await ask(item, ports);
  if (answer.kind !== "unreadable") return answer;
  await pause(PAUSE_MS, ports, signal);
  return ask(item, ports);
}

async function ask(item: KeychainItem, { run }: Ports): Promise<KeychainAnswer> {
  try {
    return readKeychainAnswer(
      await run(SECURITY, keychainQuestion(item), { timeoutMs: PATIENCE_MS }),
    );
  } catch (error) {
    const code = errorCodeOf(error);
    const why =
      code === "ETIMEDOUT"
        ? "it did not answer within 5 seconds; it may be asking for leave in a window on the screen"
        : `${SECURITY} could not be run: the system said ${code}`;
    return { kind: "unreadable", why };
  }
}
