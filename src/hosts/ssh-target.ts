import type { SshTarget } from "./host.ts";

// What OpenSSH's own valid_hostname() and valid_ruser() refuse, and a little more: these values stand
// in the argument list of `ssh`, and in `%h` and `%r` of the user's ssh_config.
const HOST = /^(?!-)[^'"`$\\;&<>|(){},%*?!/@[\]:\s\p{C}]+$/u;
const USER = /^(?!-)[^'"`$;&<>|(){}:\s\p{C}]*[^'"`$;&<>|(){}:\s\p{C}\\]$/u;

const NAMED = /^(?:(?<user>.+)@)?(?<host>[^@:[\]]+)(?::(?<port>\d{1,5}))?$/u;
const BRACKETED = /^(?:(?<user>.+)@)?\[(?<host>[^@[\]]*:[^@[\]]*)\](?::(?<port>\d{1,5}))?$/u;
const BARE_IPV6 = /^(?:(?<user>.+)@)?(?<host>[^@[\]]*:[^@[\]]*:[^@[\]]*)$/u;

/**
 * The parts of `alias`, `user@host:port`, `user@[v6]:port` or `ssh://user@host:port`. `undefined` when
 * the text is none of these or holds a character that OpenSSH would refuse.
 */
export function parseSshTarget(text: string): SshTarget | undefined {
  const address = text.startsWith("ssh://") ? text.slice("ssh://".length).replace(/\/$/, "") : text;
  const { user, host, port } = splitAddress(address);
  if (host === undefined || !(isHostName(host) || isIpv6(host))) return undefined;
  if (user !== undefined && !USER.test(user)) return undefined;
  if (port !== undefined && !isPort(Number(port))) return undefined;
  return {
    host,
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port: Number(port) }),
  };
}

/** Whether OpenSSH would take the text for a DNS name, an IPv4 address or an alias. */
export function isHostName(text: string): boolean {
  return text.length <= 255 && HOST.test(text);
}

/** Whether the text is an IPv6 address without brackets; a zone (`%eth0`) may follow. */
export function isIpv6(text: string): boolean {
  const [, address, zone = "%0"] = /^([0-9A-Fa-f:.]+)(%.*)?$/u.exec(text) ?? [];
  return address !== undefined && URL.canParse(`http://[${address}]`) && /^%[\w.-]+$/.test(zone);
}

function splitAddress(address: string): Partial<Record<"user" | "host" | "port", string>> {
  const found = NAMED.exec(address) ?? BRACKETED.exec(address) ?? BARE_IPV6.exec(address);
  return found?.groups ?? {};
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}
