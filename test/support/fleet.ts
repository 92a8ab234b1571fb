import { readFileSync, writeFileSync } from "node:fs";
import { openStage } from "./stage.ts";
import type { Stage, StageOptions } from "./stage.ts";

/** One laptop and several hosts, `web-1` to `web-N`, each with a sshd, a home and a wrapper of its own. */
export interface Fleet extends AsyncDisposable {
  /** In the order of their names. Commands are run by the first. */
  readonly hosts: readonly Stage[];
  readonly laptop: Stage;
  /** Rewrites the laptop's hosts.json: groups, more for some hosts, hosts that are made up. */
  configure(more?: {
    readonly groups?: object;
    readonly hosts?: Readonly<Record<string, Record<string, unknown>>>;
  }): void;
}

/** Builds the fleet; `await using` takes it down. `optionsOf` is told which host it is, counted from 1. */
export async function openFleet(
  count: number,
  optionsOf: (at: number) => StageOptions,
): Promise<Fleet> {
  const hosts: Stage[] = [];
  const close = async () => {
    for (const stage of hosts) await stage[Symbol.asyncDispose]();
  };
  try {
    for (let at = 1; at <= count; at++) hosts.push(await openStage(optionsOf(at)));
  } catch (error) {
    await close();
    throw error;
  }
  const [laptop] = hosts;
  if (laptop === undefined) throw new Error("a fleet has hosts");
  const entries = hosts.map((stage, at) => [`web-${at + 1}`, entryIn(stage)] as const);
  const fleet: Fleet = {
    hosts,
    laptop,
    configure({ groups, hosts: more = {} } = {}) {
      const all: Record<string, Record<string, unknown>> = Object.fromEntries(entries);
      for (const [name, entry] of Object.entries(more)) all[name] = { ...all[name], ...entry };
      writeFileSync(
        laptop.hostsJson,
        JSON.stringify({ ...(groups !== undefined && { groups }), hosts: all }),
        { mode: 0o600 },
      );
    },
    [Symbol.asyncDispose]: close,
  };
  fleet.configure();
  return fleet;
}

function entryIn({ hostsJson }: Stage): Record<string, unknown> {
  const file: { hosts: Record<string, Record<string, unknown>> } = JSON.parse(
    readFileSync(hostsJson, "utf8"),
  );
  return file.hosts["web-1"] ?? {};
}
