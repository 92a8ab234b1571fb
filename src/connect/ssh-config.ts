import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import type { Ports } from "../ports.ts";
import { printable } from "../remote/printable.ts";
import { oncePerRun } from "../once-per-run.ts";

/** Options of ssh_config(5) that decide whom we talk to, and that this release cannot follow. */
const UNFOLLOWED = {
  proxyjump: "ProxyJump",
  proxycommand: "ProxyCommand",
  revokedhostkeys: "RevokedHostKeys",
} as const;

/**
 * What OpenSSH's configuration says about a host. The installed `ssh` is asked (`ssh -G`), once per run
 * and target: no second parser can know Include, Match and the system's file as well as it does.
 * Without that program the answer is empty, with a note. Errors: `SSH_UNSUPPORTED` when the
 * configuration is broken or asks for what this release cannot do.
 */
export async function readSshConfig(
  host: Host,
  ports: Ports,
): Promise<{ config: SshConfig; notes: readonly string[] }> {
  const answer = await oncePerRun(ports, `ssh ${sshArguments(host).join(" ")}`, () =>
    askSsh(host, ports),
  );
  refuseUnfollowed(host, answer.config);
  return answer;
}

/** What `ssh -G` prints: one `keyword value` a line, keywords in lower case. */
export class SshConfig {
  readonly #lines: readonly (readonly [keyword: string, value: string])[];

  constructor(text: string) {
    this.#lines = text.split(/\r?\n/).map((line) => {
      const [keyword = "", ...rest] = line.split(" ");
      return [keyword, rest.join(" ").trim()];
    });
  }

  all(keyword: string): string[] {
    return this.#lines.filter(([name]) => name === keyword).map(([, value]) => value);
  }

  one(keyword: string): string | undefined {
    return this.all(keyword)[0];
  }
}

function sshArguments({ ssh, sshConfig }: Host): string[] {
  return [
    "-TG",
    ...(sshConfig === undefined ? [] : ["-F", sshConfig]),
    ...(ssh.port === undefined ? [] : ["-p", String(ssh.port)]),
    ...(ssh.user === undefined ? [] : ["-l", ssh.user]),
    "--",
    ssh.host,
  ];
}

async function askSsh(host: Host, ports: Ports): Promise<{ config: SshConfig; notes: string[] }> {
  const argv = sshArguments(host);
  try {
    const { code, stdout, stderr } = await ports.run("ssh", argv, { timeoutMs: 2000 });
    if (code === 0) return { config: new SshConfig(stdout), notes: [] };
    throw new SyncCredsError("SSH_UNSUPPORTED", `OpenSSH cannot resolve ${host.ssh.host}`, {
      why: printable(stderr) || `\`ssh -G\` ended with status ${code}`,
      next: [`Correct what \`ssh ${argv.join(" ")}\` complains about`],
    });
  } catch (error) {
    if (error instanceof SyncCredsError) throw error;
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      const note = "no `ssh` program here: ~/.ssh/config is not read, only hosts.json is";
      return { config: new SshConfig(""), notes: [note] };
    }
    throw new SyncCredsError(
      "SSH_UNSUPPORTED",
      `OpenSSH does not say how to reach ${host.ssh.host}`,
      {
        why: error instanceof Error ? printable(error.message) : "`ssh -G` did not answer",
        next: [
          `Run \`ssh ${argv.join(" ")}\` and see what it waits for: a \`Match exec\` in ~/.ssh/config may be slow`,
        ],
        cause: error,
      },
    );
  }
}

function refuseUnfollowed(host: Host, config: SshConfig): void {
  for (const [keyword, option] of Object.entries(UNFOLLOWED)) {
    const value = config.one(keyword);
    if (value === undefined || value === "none") continue;
    throw new SyncCredsError("SSH_UNSUPPORTED", `${option} is set for ${host.ssh.host}`, {
      why: `this release cannot follow \`${option} ${printable(value)}\`; the host was not contacted`,
      next: [`Run sync-creds where the host is reached without ${option}`],
    });
  }
}
