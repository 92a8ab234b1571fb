import { SyncCredsError } from "../errors.ts";
import { listTokenNames } from "../tokens/entries.ts";
import { forgetToken } from "../tokens/keep.ts";
import { renderHostsResult } from "./hosts-output.ts";
import type { LocalOptions, LocalWorld } from "./local-command.ts";
import { verifyName } from "./token-set.ts";

/** `token remove NAME`: the token and what is known of it. Errors: `USAGE`, `TOKEN_UNKNOWN`, `TOKEN_STORE`. */
export async function removeToken(
  name: string,
  options: LocalOptions,
  { ports, terminal }: LocalWorld,
): Promise<number> {
  verifyName(name);
  const names = await listTokenNames(ports);
  if (!names.includes(name)) {
    throw new SyncCredsError("TOKEN_UNKNOWN", `there is no token ${name}`, {
      why: names.length === 0 ? "no token is stored" : `there are ${names.join(", ")}`,
      next: ["See what is stored: `sync-creds token list`"],
    });
  }
  await forgetToken(name, ports);
  terminal.stdout.write(
    options.json === true
      ? renderHostsResult(0, [], { removed: name })
      : `${name}: removed; hosts that have it keep it until something else is pushed to them\n`,
  );
  return 0;
}
