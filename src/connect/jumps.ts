import { SyncCredsError } from "../errors.ts";
import type { SshTarget } from "../hosts/host.ts";
import { parseSshTarget } from "../hosts/ssh-target.ts";
import { printable } from "../remote/printable.ts";

/** What the tokens of `ProxyJump` stand for: the host that is reached through the jump. */
export interface JumpTokens {
  readonly hostName: string;
  readonly alias: string;
  readonly port: number;
  readonly user: string;
}

/**
 * The hosts of a `ProxyJump`, outermost first. Errors: `SSH_UNSUPPORTED` for what OpenSSH would not take either.
 */
export function parseJumps(list: string | undefined, tokens: JumpTokens): SshTarget[] {
  if (list === undefined || list === "none" || list === "") return [];
  const values: Readonly<Record<string, string>> = {
    "%%": "%",
    "%h": tokens.hostName,
    "%n": tokens.alias,
    "%p": String(tokens.port),
    "%r": tokens.user,
  };
  return list
    .replace(/%[%hnpr]/g, (token) => values[token] ?? token)
    .split(",")
    .map((hop) => {
      // `ssh -G` puts brackets around an IPv4 address that has a port (seen with 9.2).
      const target = parseSshTarget(hop.trim().replace(/\[([^:\]]+)\]/, "$1"));
      if (target !== undefined) return target;
      throw new SyncCredsError("SSH_UNSUPPORTED", `ProxyJump of ${tokens.alias} names no host`, {
        why: `\`${printable(hop)}\` is not \`user@host:port\`; nothing was contacted`,
        next: [`Correct ProxyJump in ~/.ssh/config, and try \`ssh ${tokens.alias}\``],
      });
    });
}
