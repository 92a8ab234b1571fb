import { SyncCredsError } from "../errors.ts";
import { findNearest } from "./did-you-mean.ts";
import type { Host } from "./host.ts";

/** The host with what a switch restarts and asks in the place of its own. */
export function switchedHost(host: Host, name: string): Host {
  const { restart = host.restart, wrapper = host.wrapper } = host.switches[name] ?? {};
  return { ...host, restart, wrapper };
}

/** Every one of the hosts has the switch. Error: `TARGET_UNKNOWN`, before any of them is contacted. */
export function verifySwitch(hosts: readonly Host[], name: string): void {
  const lacking = hosts.filter(({ switches }) => !Object.hasOwn(switches, name));
  const [first] = lacking;
  if (first === undefined) return;
  const known = new Set(hosts.flatMap(({ switches }) => Object.keys(switches)));
  const nearest = findNearest(name, known);
  const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name;
  const others = lacking.map((host) => host.name).join(" ");
  throw new SyncCredsError("TARGET_UNKNOWN", `${first.name} has no switch called ${shown}`, {
    why:
      known.size === 0
        ? "hosts.json names none for it in `switches`"
        : `hosts.json names ${[...known].join(", ")}`,
    next: [
      ...(nearest === undefined || nearest === name ? [] : [`Did you mean \`${nearest}\`?`]),
      lacking.length === hosts.length
        ? `Write it into hosts.json: \`switches\`, with \`file\`, \`find\` and \`put\``
        : `Leave these out: \`--exclude ${others}\``,
    ],
  });
}
