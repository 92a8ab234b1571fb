import type { Host } from "../hosts/host.ts";

/** What of hosts.json decides how a host is reached. */
type Reached = Pick<Host, "ssh" | "sshConfig" | "identityFile" | "knownHosts">;

/**
 * The arguments with which a person reaches the host as we do, for messages. By the name that they use themselves: their
 * ssh_config may know it under that name only. `ssh-copy-id` takes the same.
 */
export function sshArguments({ ssh, sshConfig, identityFile, knownHosts }: Reached): string {
  return [
    ...(ssh.port === undefined ? [] : ["-p", String(ssh.port)]),
    ...(sshConfig === undefined ? [] : ["-F", sshConfig]),
    ...(identityFile === undefined ? [] : ["-i", identityFile]),
    ...(knownHosts === undefined ? [] : ["-o", `UserKnownHostsFile=${knownHosts}`]),
    ssh.user === undefined ? ssh.host : `${ssh.user}@${ssh.host}`,
  ]
    .map(quoteForShell)
    .join(" ");
}

/**
 * The ProxyCommand that leads through jump hosts as `ProxyJump` does, but asks where a jump host's configuration would take
 * any host key. `undefined` where `ssh` may go by itself.
 */
export function guardedWay(hops: readonly Hop[]): string | undefined {
  return hops.some(({ takesAnyKey }) => takesAnyKey) ? wayThrough(hops) : undefined;
}

interface Hop {
  /** `ssh …` */
  readonly command: string;
  readonly takesAnyKey: boolean;
}

function wayThrough(hops: readonly Hop[]): string | undefined {
  const last = hops.at(-1);
  if (last === undefined) return undefined;
  const before = wayThrough(hops.slice(0, -1));
  return [
    "ssh",
    ...(last.takesAnyKey ? ["-o StrictHostKeyChecking=ask"] : []),
    ...(before === undefined
      ? []
      : [`-o ${quoteForShell(escapeTokens(`ProxyCommand=${before}`))}`]),
    '-W "[%h]:%p"',
    escapeTokens(last.command.replace(/^ssh /, "")),
  ].join(" ");
}

/** `%` starts a token where `ssh` expands a command. */
function escapeTokens(text: string): string {
  return text.replaceAll("%", "%%");
}

function quoteForShell(word: string): string {
  return /^~?[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
