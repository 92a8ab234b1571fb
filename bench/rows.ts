import { ansible, bareEnv, bin, fabric, openssh, ours, ssh2 } from "./competitors.ts";
import type { Lane } from "./competitors.ts";
import { openDelayLink } from "./delay-link.ts";
import { openFleet } from "./fleet.ts";
import { measurePeakMiB, timeInTurn } from "./measure.ts";
import type { Command, Timing } from "./measure.ts";
import { hasPeer } from "./peers.ts";
import type { PeerName } from "./peers.ts";
import { ratioOf } from "./results.ts";
import type { Result } from "./results.ts";

/** How much is measured. */
export interface Effort {
  readonly rounds: number;
  /** Hosts of the largest fleet. */
  readonly crowd: number;
}
export const THOROUGH: Effort = { rounds: 5, crowd: 1000 };
export const QUICK: Effort = { rounds: 3, crowd: 200 };

/** Rows that are measured together, in turn. */
export interface Group {
  readonly ids: readonly string[];
  readonly measure: (wanted: readonly string[], effort: Effort) => Promise<Result[]>;
}

/** All rows, in the order of the table. */
export const GROUPS: readonly Group[] = [
  { ids: ["version", "help"], measure: benchStart },
  race({ hosts: 1, roundTripMs: 0 }, [{ id: "ssh-1", peer: "ssh", target: 1.15 }]),
  race({ hosts: 10, roundTripMs: 0 }, [{ id: "ssh-10", peer: "ssh", target: 0.7 }]),
  race({ hosts: 50, roundTripMs: 0 }, [
    { id: "ssh-50", peer: "ssh", target: 0.55 },
    { id: "ansible-50", peer: "ansible", target: 0.06 },
    { id: "fabric-50", peer: "fabric", target: 0.9 },
  ]),
  race({ hosts: 10, roundTripMs: 50 }, [{ id: "fabric-10-far", peer: "fabric", target: 0.75 }]),
  memory("memory-1", 1, 90),
  memory("memory-200", 200, 130),
  { ids: ["hosts-1000"], measure: benchCrowd },
];

/** What it costs to say anything at all. */
async function benchStart(wanted: readonly string[], { rounds }: Effort): Promise<Result[]> {
  const run = (name: string, ...argv: string[]): Command => {
    return { name, argv: [process.execPath, ...argv], env: bareEnv };
  };
  const [floor, version, help] = await timeInTurn(
    [run("node -e 0", "-e", "0"), run("--version", bin, "--version"), run("--help", bin, "--help")],
    4 * rounds + 1,
  );
  return [
    ratioOf({ id: "version", work: "start, `--version`", target: 1.6 }, version!, floor!),
    ratioOf({ id: "help", work: "start, `--help`", target: 2 }, help!, floor!),
  ].filter(({ id }) => wanted.includes(id));
}

interface Race {
  readonly id: string;
  readonly peer: PeerName;
  readonly target: number;
}

/** A push, from the start of the command to its end, against peers that do the same job on hosts of the same kind. */
function race(
  { hosts, roundTripMs }: { readonly hosts: number; readonly roundTripMs: number },
  races: readonly Race[],
): Group {
  const measure = async (wanted: readonly string[], { rounds }: Effort): Promise<Result[]> => {
    const run = races.filter(({ id, peer }) => wanted.includes(id) && hasPeer(peer));
    if (run.length === 0) return [];
    // Hosts of their own, so that nobody pays for what another has left there.
    using ourFleet = await openFleet(hosts);
    using theirFleet = await openFleet(hosts);
    await using ourWay = await openDelayLink(ourFleet, roundTripMs);
    await using theirWay = await openDelayLink(theirFleet, roundTripMs);
    const theirLane = { fleet: theirFleet, count: hosts, port: theirWay.port };
    const peers = run.map(({ peer }) => competitors(peer, theirLane));
    const ourPush = ours({ fleet: ourFleet, count: hosts, port: ourWay.port });
    const floor = run.some(({ peer }) => peer === "ssh") ? [ssh2(theirLane)] : [];
    const all = [ourPush, ...peers.flat(), ...floor];
    // A single command takes a moment that anything may disturb: more of them.
    const timings = await timeInTurn(all, hosts === 1 ? 3 * rounds : rounds);
    const far = roundTripMs === 0 ? "" : ` at ${roundTripMs} ms round trip`;
    const work = `push, ${hosts} host${hosts === 1 ? "" : "s"}${far}`;
    return run.flatMap(({ id, target, peer }, i) => {
      const names = new Set(peers[i]!.map(({ name }) => name));
      const theirs = best(timings.filter(({ name }) => names.has(name)));
      const row = ratioOf({ id, work, target }, timings[0]!, theirs);
      if (peer !== "ssh") return [row];
      const lowest = { id: `floor-${hosts}`, work: `the bare script through ssh2, ${hosts}` };
      return [row, ratioOf(lowest, timings.at(-1)!, theirs)];
    });
  };
  return { ids: races.map(({ id }) => id), measure };
}

/** A peer as it may be used; of several ways the best one counts. */
function competitors(peer: PeerName, lane: Lane): Command[] {
  switch (peer) {
    case "ansible":
      return [ansible(lane)];
    case "fabric":
      return [fabric(lane)];
    case "ssh": {
      const parallels = lane.count <= 10 ? [lane.count] : [10, 20, lane.count];
      return parallels.map((parallel) => openssh(lane, parallel));
    }
  }
}

function best(timings: readonly Timing[]): Timing {
  return timings.toSorted((a, b) => a.medianMs - b.medianMs)[0]!;
}

/** The peak memory of the one process that is `sync-creds`; the short-lived `ssh -G` it asks are not part of it. */
function memory(id: string, hosts: number, target: number): Group {
  const measure = async (): Promise<Result[]> => {
    using fleet = await openFleet(hosts);
    const value = await measurePeakMiB(ours({ fleet, count: hosts, port: fleet.port }));
    const work = `peak memory, ${hosts} host${hosts === 1 ? "" : "s"}`;
    return [{ id, work, against: "", ours: "", theirs: "", value, target, unit: "MiB" }];
  };
  return { ids: [id], measure };
}

/** Whether a host costs the same in a crowd: 1000 hosts, 50 homes on each of 20 servers, against 50 of them. */
async function benchCrowd(
  _wanted: readonly string[],
  { rounds, crowd }: Effort,
): Promise<Result[]> {
  using fleet = await openFleet(crowd, 20);
  const few = ours({ fleet, count: 50, port: fleet.port });
  const many = ours({ fleet, count: crowd, port: fleet.port });
  const [fewTime, manyTime] = await timeInTurn(
    [
      { ...few, name: "50 hosts" },
      { ...many, name: `${crowd} hosts` },
    ],
    rounds,
  );
  return [
    ratioOf(
      { id: "hosts-1000", work: `push, each of ${crowd} hosts`, target: 1.1 },
      perHost(manyTime!, crowd),
      perHost(fewTime!, 50),
    ),
  ];
}

function perHost({ name, medianMs, minMs, maxMs }: Timing, hosts: number): Timing {
  return { name, medianMs: medianMs / hosts, minMs: minMs / hosts, maxMs: maxMs / hosts };
}
