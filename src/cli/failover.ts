import { SyncCredsError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import type { Terminal } from "../output/terminal.ts";
import { conductOf } from "./conduct.ts";
import { chooseHosts, onThisMachine, reportOn, visitHosts } from "./fleet.ts";
import type { FleetOptions } from "./fleet.ts";
import { prepareBareJobs } from "./prepare.ts";

/** The options of `failover`, as the command line names them. */
export interface FailoverOptions extends FleetOptions {
  readonly back?: boolean;
  readonly clearShadows?: boolean;
}

/** `failover` on this machine; resolves with the exit status. Never rejects. The laptop's own login is not looked at. */
export function failover(
  names: readonly string[],
  options: FailoverOptions,
  terminal: Terminal,
): Promise<number> {
  const to = options.back === true ? "off" : "on";
  const { clearShadows } = options;
  return onThisMachine(options, terminal, (world) =>
    reportOn(options, world, async () => {
      const chosen = await chooseHosts(names, options, world);
      verifyBackup(chosen.hosts);
      const hosts = to === "off" ? chosen.hosts : chosen.hosts.map(failedOver);
      const jobs = await prepareBareJobs(hosts, chosen.directory, world.ports);
      const what = to === "on" ? "Fail over to the backup API key:" : "Go back to the login:";
      const conduct = conductOf(chosen, what, options, world.ports);
      const purpose = { kind: "failover", to } as const;
      return visitHosts(jobs, { purpose, clearShadows, conduct }, options, world);
    }),
  );
}

/** Its Claude is to take the key that lies ready, through the helper script. */
function failedOver(host: Host): Host {
  return { ...host, means: "key-helper" };
}

function verifyBackup(hosts: readonly Host[]): void {
  const lacking = hosts.filter(({ backup }) => backup === undefined).map(({ name }) => name);
  const [first] = lacking;
  if (first === undefined) return;
  throw new SyncCredsError(
    "CONFIG_INVALID",
    `${lacking.join(", ")} has no backup to fail over to`,
    {
      why: "hosts.json names no `backup` for it, so that no push has put a key there",
      next: [
        `Write \`"backup": "api-key"\` and \`apiKey\` into hosts.json, then \`sync-creds push ${first}\` while the login works`,
        ...(lacking.length < hosts.length
          ? [`Or leave it out: \`--exclude ${lacking.join(" ")}\``]
          : []),
      ],
    },
  );
}
