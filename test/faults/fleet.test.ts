import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostResult } from "../../src/outcome.ts";
import { canMount, mountDisk } from "../support/disk.ts";
import { openFleet } from "../support/fleet.ts";
import type { Fleet } from "../support/fleet.ts";
import { changesOf, entryOf, hostToken, readHostFile } from "../support/host-state.ts";
import { openLightFleet } from "../support/light-fleet.ts";
import type { LightFleet, LightHost } from "../support/light-fleet.ts";
import { isProgram } from "../support/programs.ts";
import { freePort, hasSshd } from "../support/sshd.ts";
import { renderHostLogin, tokens } from "../support/stage.ts";
import { until } from "../support/until.ts";

const OLD = renderHostLogin(tokens.other);
/** What the second of two laptops pushes. */
const SECOND = `${tokens.good}-second`;
const hasFleet = hasSshd && isProgram("/usr/bin/perl");

describe.skipIf(!hasFleet || !canMount)("of fifty hosts", () => {
  test("one is dead, one shows another key, one has a full disk, one fails: 46 are verified", async () => {
    using fleet = await openLightFleet(50);
    const [h11, h22, h33, h44] = pick(fleet, "h11", "h22", "h33", "h44");
    fleet.configure({
      hosts: { h11: { ssh: `${fleet.user}@${h11.address}:${await freePort()}` } },
    });
    changeKey(fleet, h22.address);
    const former = readHostFile(h33) ?? "";
    using _disk = mountDisk(h33.hostFile, "size=128k", former);
    failWith(h44, tokens.good);

    const ended = await fleet.run("push", "all", "--yes", "--json");

    const others = fleet.hosts.filter((host) => ![h11, h22, h33, h44].includes(host));
    const bad = ended.hosts.filter(({ outcome }) => outcome !== "verified");
    expect(bad.map(({ host, outcome, code, why }) => [host, outcome, code, why])).toEqual([
      ["h11", "unreachable", "HOST_UNREACHABLE", "nothing listens on that port"],
      ["h22", "refused", "HOST_KEY_CHANGED", expect.stringContaining("known_hosts:22 knows ")],
      ["h33", "refused", "INSTALL_FAILED", expect.stringContaining("KiB")],
      ["h44", "rolled-back", "not-logged-in", expect.any(String)],
    ]);
    expect(ended.hosts).toHaveLength(50);
    expect(ended.code).toBe(10);
    for (const host of [h11, h22, h33, h44]) expect(readHostFile(host)).toBe(former);
    for (const host of others) {
      expect(hostToken(host)).toBe(tokens.good);
      expect(changesOf(host)).toEqual(["committed"]);
    }
    // The same once more, for a person.
    const { stdout, code } = await fleet.run("push", "all", "--yes");
    expect(code).toBe(10);
    expect(rowsOf(stdout)).toEqual([
      "h22 refused",
      "h33 refused",
      "h44 rolled-back",
      "h11 unreachable",
      "46 hosts unchanged",
    ]);
  });
});

describe.skipIf(!hasFleet)("two silent hosts among fifty", () => {
  test("hold up no plan: those of the others come first", async () => {
    using fleet = await openLightFleet(50);
    await using silent = await openSilentHosts();
    leadTo(silent, fleet, 60);

    const plan = fleet.start("plan", "all", "--json");
    await until("the others are planned", () => outcomesIn(plan.stdout()).length === 48);

    expect(new Set(outcomesIn(plan.stdout()))).toEqual(new Set(["planned"]));
    plan.kill("SIGKILL");
    await plan.ended;
  });

  test("are out of reach when their time to connect is over; the others are verified", async () => {
    using fleet = await openLightFleet(50);
    await using silent = await openSilentHosts();
    leadTo(silent, fleet, 3);

    const ended = await fleet.run("push", "all", "--yes", "--json");

    const dead = ended.hosts.filter(({ outcome }) => outcome !== "verified");
    expect(dead.map(({ host, outcome, why }) => [host, outcome, why])).toEqual([
      ["h11", "unreachable", expect.stringContaining("handshake did not finish in time")],
      ["h22", "unreachable", expect.stringContaining("it does not answer")],
    ]);
    expect(ended.code).toBe(12);
  });
});

describe.skipIf(!hasFleet)("fifty hosts behind one sshd with its default MaxStartups", () => {
  let fleet: LightFleet;
  let pushes = 0;
  beforeAll(async () => void (fleet = await openLightFleet(50, 1)));
  afterAll(() => fleet[Symbol.dispose]());

  // All at once is the hardest for it; one of the two also as it is without being told.
  test.each([
    ["node", []],
    ["node", ["--concurrency", "50"]],
    ["openssh", ["--concurrency", "50"]],
  ])("are all verified: transport %s, %j", async (transport, more) => {
    fleet.configure({ defaults: { transport } });
    fleet.logIn(`${tokens.good}-${++pushes}`);

    const ended = await fleet.run("push", "all", "--yes", "--json", ...more);

    expect(ended.hosts.filter(({ outcome }) => outcome !== "verified")).toEqual([]);
    expect([ended.code, ended.hosts.length]).toEqual([0, 50]);
    for (const host of fleet.hosts) expect(changesOf(host)).toHaveLength(pushes);
  });
});

describe.skipIf(!hasSshd)("two laptops that push to the same hosts", () => {
  const slow = { hostFile: OLD, running: true, wrapperArguments: ["--answer-ms", "3000"] };

  test("at once: the second is told who holds them, since when, in which run; with --wait it follows", async () => {
    await using fleet = await openFleet(3, () => slow);
    const { laptop: first, second } = twoLaptops(fleet);
    const push = first.start("push", "all", "--yes", "--json");
    for (const name of ["web-1", "web-2", "web-3"]) await push.reached("smoke", name);

    const busy = await second.run("push", "all", "--yes", "--json");
    const after = await second.run("push", "all", "--yes", "--json", "--wait", "30");

    expect(busy.hosts.map(({ outcome }) => outcome)).toEqual(["busy", "busy", "busy"]);
    for (const { why } of busy.hosts)
      expect(why).toMatch(/held by \S+@\S+, taken \d+ s ago \(run [0-9a-f]{16}\)/);
    expect(busy.code).toBe(13);
    expect((await push.ended).code).toBe(0);
    expect(after.hosts.map(({ outcome }) => outcome)).toEqual(["verified", "verified", "verified"]);
    for (const host of fleet.hosts) {
      expect(hostToken(host)).toBe(SECOND);
      expect(changesOf(host)).toEqual(["committed", "committed"]);
    }
  });

  test("of which the second has looked before the first took the lock: --wait holds for that too", async () => {
    await using fleet = await openFleet(2, () => slow);
    await using silent = await openSilentHosts();
    const { laptop: first, second } = twoLaptops(fleet, {
      "web-9": { ...entryOf(fleet.laptop), ssh: `root@127.0.0.1:${silent.port}` },
    });
    const waiting = second.start("push", "all", "--yes", "--json", "--wait", "30");
    await waiting.reached("plan", "web-1");

    const push = first.start("push", "web-1", "--json");
    await push.reached("smoke", "web-1");
    await silent.end();

    const { hosts } = await waiting.ended;
    expect(hosts.map(({ outcome }) => outcome)).toEqual(["verified", "verified", "unreachable"]);
    expect((await push.ended).code).toBe(0);
    expect(hostToken(fleet.laptop)).toBe(SECOND);
  });
});

function pick<const Names extends readonly string[]>({ hosts }: LightFleet, ...names: Names) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as many as names
  return names.map((wanted) => hosts.find(({ name }) => name === wanted)!) as {
    [At in keyof Names]: LightHost;
  };
}

/** From now on the laptop knows another key for this address. */
function changeKey({ laptop }: LightFleet, address: string): void {
  const path = join(laptop, "known_hosts");
  const lines = readFileSync(path, "utf8").split("\n");
  const [, other = ""] = lines[0]?.split(/ (.*)/) ?? [];
  const changed = lines.map((line) =>
    line.startsWith(`[${address}]`) ? `${line.split(" ")[0]} ${other}` : line,
  );
  writeFileSync(path, changed.join("\n"));
}

/** From its next start on, the wrapper does not get along with this login. */
function failWith({ home }: LightHost, accessToken: string): void {
  const path = join(home, "wrapper", "start.sh");
  const [first = "", ...rest] = readFileSync(path, "utf8").split("\n");
  const blind = `grep -q ${accessToken} "$HOME/.claude/.credentials.json" && export HOME=/nonexistent`;
  writeFileSync(path, [first, blind, ...rest].join("\n"));
}

/** Name and outcome of each row of the table. */
function rowsOf(stdout: string): string[] {
  const [, ...rows] = stdout.slice(0, stdout.indexOf("\n\n")).split("\n");
  return rows.map((row) => row.split(/ {2,}/).slice(0, 2).join(" "));
}

/** The laptops of the first and of the second host, with the same hosts in hosts.json; the second has another login. */
function twoLaptops(fleet: Fleet, more: Entries = {}) {
  const {
    laptop,
    hosts: [, second],
  } = fleet;
  if (second === undefined) throw new Error("a second laptop needs a second host");
  fleet.configure({ hosts: more });
  writeFileSync(second.hostsJson, readFileSync(laptop.hostsJson));
  second.logIn(SECOND);
  return { laptop, second };
}

type Entries = Readonly<Record<string, Record<string, unknown>>>;

interface SilentHosts extends AsyncDisposable {
  /** Accepts connections and never says a word. */
  readonly port: number;
  /** Does not even do that: its queue is full. */
  readonly deafPort: number;
  /** From now on nothing listens on `port`. */
  end(): Promise<void>;
}

async function openSilentHosts(): Promise<SilentHosts> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const deaf = spawn("perl", ["-MSocket", "-e", DEAF], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(deaf.stdout, "data")) as [Buffer];
  const deafPort = Number(line);
  // What waits in its queue is what nobody accepts: the next one is not even heard.
  for (let i = 0; i < 2; i++)
    sockets.push(connect(deafPort, "127.0.0.1").on("error", () => undefined));
  const end = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    port,
    deafPort,
    end,
    [Symbol.asyncDispose]: async () => {
      deaf.kill();
      await end();
    },
  };
}

const DEAF = `
  socket(S, AF_INET, SOCK_STREAM, 0) && bind(S, sockaddr_in(0, INADDR_LOOPBACK)) && listen(S, 0) or die $!;
  $| = 1;
  print((sockaddr_in(getsockname(S)))[0], "\n");
  <STDIN>;`;

/** Two hosts of the fleet are silent from now on, and given up after so many seconds. */
function leadTo({ port, deafPort }: SilentHosts, fleet: LightFleet, seconds: number): void {
  writeFileSync(join(fleet.laptop, "ssh_config"), `ConnectTimeout ${seconds}\n`);
  fleet.configure({
    file: { sshConfig: "./ssh_config" },
    hosts: {
      h11: { ssh: `${fleet.user}@127.0.0.1:${port}` },
      h22: { ssh: `${fleet.user}@127.0.0.1:${deafPort}` },
    },
  });
}

/** The outcomes of the hosts in the order in which they came. */
function outcomesIn(stdout: string): string[] {
  const lines = stdout.split("\n").filter((line) => line.startsWith('{"type":"host"'));
  return lines.map((line) => (JSON.parse(line) as { result: HostResult }).result.outcome);
}
