import { SyncCredsError } from "../errors.ts";
import { switchedHost, verifySwitch } from "../hosts/switched.ts";
import type { Job } from "../visit.ts";
import type { Host } from "../hosts/host.ts";
import type { Terminal } from "../output/terminal.ts";
import { conductOf } from "./conduct.ts";
import { chooseHosts, onThisMachine, reportOn, visitHosts } from "./fleet.ts";
import type { FleetOptions } from "./fleet.ts";
import { prepareBareJobs } from "./prepare.ts";

/** `switch` on this machine; `words` are targets, a name, and `on` or `off`. Resolves with the exit status. Never rejects. */
export function turnSwitch(
  words: readonly string[],
  options: FleetOptions,
  terminal: Terminal,
): Promise<number> {
  return onThisMachine(options, terminal, (world) =>
    reportOn(options, world, async () => {
      const { targets, name, to } = parseWords(words);
      const chosen = await chooseHosts(targets, options, world);
      verifySwitch(chosen.hosts, name);
      const switched = chosen.hosts.map((host) => switchedHost(host, name));
      const jobs = await prepareBareJobs(switched, chosen.directory, world.ports);
      const conduct = conductOf(chosen, `Turn ${name} ${to} on`, options, world.ports);
      return visitHosts(
        jobs.map((job, at) => from(job, chosen.hosts[at])),
        { purpose: { kind: "switch", name, to }, conduct },
        options,
        world,
      );
    }),
  );
}

function from(job: Job, home: Host | undefined): Job {
  return { ...job, home };
}

function parseWords(words: readonly string[]) {
  const targets = words.slice(0, -2);
  const [name = "", to = ""] = words.slice(-2);
  if (targets.length > 0 && (to === "on" || to === "off")) return { targets, name, to } as const;
  throw new SyncCredsError("USAGE", "a switch is turned on or off by name, on targets", {
    why: `after \`switch\` stood ${words.map((word) => `\`${word.slice(0, 64)}\``).join(" ")}`,
    next: ["Write it so: `sync-creds switch web-1 fallback on`"],
  });
}
