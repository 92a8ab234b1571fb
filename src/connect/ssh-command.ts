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

function quoteForShell(word: string): string {
  return /^~?[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
