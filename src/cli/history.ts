import { SyncCredsError } from "../errors.ts";
import { findNearest } from "../hosts/did-you-mean.ts";
import { loadHosts } from "../hosts/load.ts";
import type { HostsFile } from "../hosts/parse.ts";
import { findNames } from "../hosts/select.ts";
import { sanitize } from "../output/sanitize.ts";
import { paintFor } from "../output/terminal.ts";
import { renderInstant } from "../output/time.ts";
import type { Ports } from "../ports.ts";
import { readLedger } from "../rollout/ledger.ts";
import type { Entry } from "../rollout/ledger.ts";
import { renderColumns, renderHostsResult } from "./hosts-output.ts";
import type { LocalOptions, LocalWorld } from "./local-command.ts";

/** The options of `history`, as the command line names them. */
export interface HistoryOptions extends LocalOptions {
  readonly config?: string;
  /** The beginning of a run's id. */
  readonly run?: string;
  /** How many entries, the newest. */
  readonly last?: number;
}

/**
 * `history`: what the ledger of this laptop says, newest last. hosts.json is read only to understand a target, and may be
 * missing. Errors: `TARGET_UNKNOWN` for what neither knows, `USAGE` for an unknown run, `CONFIG_UNREADABLE`.
 */
export async function history(
  names: readonly string[],
  { config, run, last, json = false }: HistoryOptions,
  { ports, terminal }: LocalWorld,
): Promise<number> {
  const { entries, damaged } = await readLedger(ports);
  if (damaged.length > 0) {
    terminal.stderr.write(
      `the ledger of this laptop has lines that cannot be read: ${damaged.join(", ")}\n`,
    );
  }
  const wanted = await hostsMeant(names, entries, config, ports);
  const found = ofRun(run, entries).filter(({ host }) => wanted?.has(host) ?? true);
  const most = last ?? (json ? found.length : USUALLY_SHOWN);
  const shown = found.slice(Math.max(0, found.length - most));
  if (json) {
    terminal.stdout.write(renderHostsResult(0, [], { entries: shown, damaged }));
    return 0;
  }
  if (shown.length === 0) {
    terminal.stderr.write("the ledger of this laptop knows of no change there\n");
    return 0;
  }
  const left = found.length - shown.length;
  if (left > 0) terminal.stderr.write(`${left} earlier ones are not shown: \`-n\`, \`--json\`\n`);
  const paint = paintFor(terminal.stdout, terminal.env);
  const rows = shown.map((entry) => rowOf(entry, ports.now()));
  terminal.stdout.write(renderColumns(TITLES, rows, paint));
  return 0;
}

const USUALLY_SHOWN = 50;
const TITLES = ["WHEN", "HOST", "OUTCOME", "FINGERPRINT", "FOR", "BY", "RUN"];

/** The file is the user's, and anybody may have edited it: nothing in it may reach into the terminal. */
function rowOf({ at, host, outcome, code, fingerprint, by, who, run }: Entry, now: number) {
  const end = code === undefined ? outcome : `${outcome} (${code})`;
  const cells = [host, end, fingerprint ?? "-", by ?? "push", who ?? "-", run ?? "-"];
  return [renderInstant(at, now), ...cells.map((cell) => sanitize(cell, { maxLength: 100 }))];
}

function ofRun(run: string | undefined, entries: readonly Entry[]): readonly Entry[] {
  if (run === undefined) return entries;
  const found = entries.filter((entry) => run !== "" && entry.run?.startsWith(run));
  if (found.length > 0) return found;
  throw new SyncCredsError("USAGE", `no run in the ledger begins with \`${shorten(run)}\``, {
    next: ["See them: `sync-creds history`"],
  });
}

/** The names that the targets mean, now or then; `undefined` where none is named. */
async function hostsMeant(
  targets: readonly string[],
  entries: readonly Entry[],
  config: string | undefined,
  ports: Ports,
): Promise<ReadonlySet<string> | undefined> {
  if (targets.length === 0) return undefined;
  const file = await hostsFileIfThere(config, ports);
  const past = [...new Set(entries.map(({ host }) => host))];
  return new Set(
    targets.flatMap((target) => {
      const names = findNames(target, file, past);
      if (names.length > 0) return names;
      throw unknown(target, [...file.hosts.map(({ name }) => name), ...past]);
    }),
  );
}

async function hostsFileIfThere(
  config: string | undefined,
  ports: Ports,
): Promise<Pick<HostsFile, "hosts" | "groups">> {
  try {
    return await loadHosts(ports, config);
  } catch (thrown) {
    const isMissing = thrown instanceof SyncCredsError && thrown.code === "CONFIG_NOT_FOUND";
    if (isMissing && config === undefined) return { hosts: [], groups: [] };
    throw thrown;
  }
}

function unknown(target: string, names: readonly string[]): SyncCredsError {
  const nearest = findNearest(target, names);
  return new SyncCredsError(
    "TARGET_UNKNOWN",
    `neither hosts.json nor the ledger knows ${shorten(target)}`,
    {
      next: [
        ...(nearest === undefined ? [] : [`Did you mean \`${nearest}\`?`]),
        "See all: `sync-creds history`",
      ],
    },
  );
}

function shorten(text: string): string {
  return sanitize(text, { maxLength: 64 });
}
