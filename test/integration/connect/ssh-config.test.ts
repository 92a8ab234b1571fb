import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { resolveRoute, type Route } from "../../../src/connect/route.ts";
import { askAhead } from "../../../src/connect/ssh-config.ts";
import { nodePorts } from "../../../src/node-ports.ts";
import type { Ports } from "../../../src/ports.ts";
import { hostEntry } from "../../support/host-entry.ts";
import { hasSshd } from "../../support/sshd.ts";

const directory = mkdtempSync(join(tmpdir(), "sync-creds-config-"));
const env = { ...process.env, LC_ALL: "C", KEY_FOLDER: "/srv/keys" };
let port = 0;
// Hangs up on whoever comes: `ssh -v` has then told which identity files it would use.
const listener = createServer((socket) => void socket.end("SSH-2.0-nobody\r\n"));

beforeAll(async () => {
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});
afterAll(() => {
  listener.close();
  rmSync(directory, { recursive: true });
});

/** One choice for each aspect of a configuration; texts are lines of the block that applies to the host. */
const ASPECTS: readonly (readonly string[])[] = [
  ["User deploy", "User %-odd.name", ""],
  ["IdentityFile ~/.ssh/%r@%h", "IdentityFile ~/keys/%n-%p", "IdentityFile %d/x/%u/%%", ""],
  ["IdentityFile ${KEY_FOLDER}/%h_%r", "IdentityFile /srv/%L/%l/%i", "IdentityFile /srv/%C/%k", ""],
  ['IdentityFile "/srv/with space/%h"', "IdentityFile /srv/plain", ""],
  ["IdentitiesOnly yes", "IdentitiesOnly no", ""],
  ["UserKnownHostsFile ~/.ssh/kh_%h /srv/kh", "UserKnownHostsFile none", ""],
  ["GlobalKnownHostsFile /etc/kh", ""],
  ["HostKeyAlias key-of-%n", "HostKeyAlias stable", ""],
  ["StrictHostKeyChecking accept-new", "StrictHostKeyChecking yes", "StrictHostKeyChecking no", ""],
  ["HashKnownHosts yes", "HashKnownHosts no", ""],
  ["ConnectTimeout 7", ""],
  ["ServerAliveInterval 9\nServerAliveCountMax 4", ""],
  ["ProxyJump one@gate:2022,two", "ProxyJump none", ""],
  ["AddressFamily inet", "AddressFamily any", ""],
  ["HostKeyAlgorithms ssh-ed25519,rsa-sha2-256", "HostKeyAlgorithms -ssh-rsa", ""],
  ["PreferredAuthentications password,publickey", "PasswordAuthentication no", ""],
];

/** Ways in which a block can come to apply to the alias `web-7.eu`. */
const FRAMES: readonly ((block: string, include: string) => string)[] = [
  (block) => `Host web-7.eu\n${block}`,
  (block) => `Host web-?.e* other\n${block}`,
  (block) => `Host *.eu !web-9.eu\n${block}`,
  (block) => `Host !web-7.eu *\n User wrong\nHost web-7.eu\n${block}`,
  (block) => `Match originalhost web-*\n${block}`,
  (block) => `Match exec "test '%n' = web-7.eu"\n${block}`,
  (block) => `Match exec "false"\n User wrong\nMatch originalhost web-7.eu\n${block}`,
  (block) => `host=web-7.eu\n${block.replaceAll(/^(\w+) /gm, "$1=")}`,
  (_block, include) => `Include ${include}\nHost *\n User later\n`,
  (_block, include) => `Host web-7.eu\n Include ${include.replace(/\.inc$/, ".in?")}\n`,
];

const configs = Array.from({ length: 60 }, (_, index) => {
  // Walks the aspects with strides of their own, so that the choices mix.
  const lines = ASPECTS.map((choices, at) => choices[(index * (at + 3) + at) % choices.length]);
  const frame = FRAMES[index % FRAMES.length] ?? FRAMES[0]!;
  return { index, block: lines.filter((line) => line !== "").join("\n"), frame };
});

function write(index: number, frame: (typeof FRAMES)[number], block: string): string {
  const include = join(directory, `part-${index}.inc`);
  const where = `HostName 127.0.0.1\nPort ${port}\n`;
  writeFileSync(include, `Match originalhost web-*\n${where}${block}\n`);
  const file = join(directory, `config-${index}`);
  writeFileSync(file, `${frame(where + block, include)}\n`);
  return file;
}

function askSsh(file: string, ...more: string[]): Map<string, string> {
  const text = execFileSync("ssh", ["-TG", "-F", file, ...more, "--", "web-7.eu"], {
    env,
    encoding: "utf8",
  });
  // The first value of a keyword counts.
  return new Map(
    text
      .split("\n")
      .toReversed()
      .map((line) => [line.split(" ")[0] ?? "", line.split(" ").slice(1).join(" ")]),
  );
}

/** The identity files that `ssh` goes through, in its own words. */
async function identitiesOfSsh(file: string): Promise<string[]> {
  const ssh = spawn("ssh", ["-v", "-F", file, "-o", "ProxyJump=none", "--", "web-7.eu"], { env });
  let said = "";
  ssh.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  ssh.stdin.end();
  await new Promise((resolve) => ssh.once("close", resolve));
  return [...said.matchAll(/^debug1: identity file (.*) type -?\d+\r?$/gm)]
    .map(([, path = ""]) => path)
    .filter((path) => !path.endsWith("-cert"));
}

function asSshSays(config: Map<string, string>): Partial<Route> {
  const get = (keyword: string): string => config.get(keyword) ?? "";
  const paths = (text: string): string[] => text.split(" ").filter((path) => path !== "none");
  const strict = get("stricthostkeychecking");
  return {
    host: get("hostname"),
    port: Number(get("port")),
    user: get("user"),
    identitiesOnly: get("identitiesonly") === "yes",
    knownHostsFiles: {
      user: paths(get("userknownhostsfile")),
      global: paths(get("globalknownhostsfile")),
    },
    ...(config.has("hostkeyalias") && { hostKeyAlias: get("hostkeyalias") }),
    strict: strict === "accept-new" ? strict : strict === "true" ? "yes" : "ask",
    hashKnownHosts: get("hashknownhosts") === "yes",
    connectTimeoutMs: Number(get("connecttimeout")) * 1000 || 10_000,
    keepAlive: {
      intervalMs: Number(get("serveraliveinterval")) * 1000 || 5000,
      count: Number(get("serveralivecountmax")),
    },
    socket: get("addressfamily") === "inet" ? { family: 4 } : {},
    hostKeyAlgorithms: get("hostkeyalgorithms").split(","),
  };
}

describe.skipIf(!hasSshd)("60 generated configurations", () => {
  test.each(configs)("number $index means to us what it means to ssh", async (config) => {
    const { index, frame, block } = config;
    const sshConfig = write(index, frame, block);
    const host = hostEntry({ ssh: { host: "web-7.eu" }, sshConfig });
    const route = await resolveRoute(host, nodePorts({ env }));
    const said = askSsh(sshConfig);
    expect(route).toMatchObject(asSshSays(said));
    expect(route.hops.map(({ user, host: name, port: at }) => `${user}@${name}:${at}`)).toEqual(
      said.get("proxyjump")?.startsWith("one")
        ? ["one@gate:2022", expect.stringMatching(/^\S+@two:22$/)]
        : [],
    );
    const identities = await identitiesOfSsh(sshConfig);
    expect(identities.length).toBeGreaterThan(0);
    if (/IdentityFile/i.test(block)) expect(route.identityFiles).toEqual(identities);
    else expect(identities).toEqual(expect.arrayContaining([...route.identityFiles]));
  });
});

describe.skipIf(!hasSshd)("several hosts asked about together", () => {
  const file = join(directory, "several");
  const lines = [
    "Host a",
    "User anna",
    'Match originalhost slow exec "sleep 0.6"',
    "User sam",
    "Host z",
    "User zoe",
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const hosts = (...names: string[]) =>
    names.map((name) => hostEntry({ name, ssh: { host: name }, sshConfig: file }));

  test("each has its own answer, and its own fault", async () => {
    const broken = join(directory, "broken");
    writeFileSync(broken, "Port none\n");
    const bad = hostEntry({ name: "b", ssh: { host: "b" }, sshConfig: broken });
    const [a, z] = hosts("a", "z");
    const run = vi.fn<Ports["run"]>();
    const ports = nodePorts({ env, run });

    askAhead([a!, bad, z!], ports);
    const found = await Promise.allSettled([a!, bad, z!].map((host) => resolveRoute(host, ports)));

    expect(found).toMatchObject([
      { value: { host: "a", user: "anna" } },
      { reason: { code: "SSH_UNSUPPORTED", why: expect.stringContaining("broken line 1") } },
      { value: { host: "z", user: "zoe" } },
    ]);
    expect(run).not.toHaveBeenCalled();
  });

  test.each([
    [["slow", "z"]],
    [["slow", "w", "x", "y", "z"]],
    [["w", "slow", "x", "y", "z"]],
    [["w", "x", "y", "z", "slow"]],
  ])(
    "one whose configuration waits for something does not hold up the others: %j",
    async (names) => {
      const ports = nodePorts({ env });

      askAhead(hosts(...names), ports);
      const ended: string[] = [];
      const routes = hosts(...names).map(async (host) => {
        const { user } = await resolveRoute(host, ports);
        ended.push(user);
      });
      await Promise.all(routes);

      expect(ended.at(-1)).toBe("sam");
      expect(ended).toContain("zoe");
    },
  );

  test("of many that are alike two are asked about, and each has its own answer", async () => {
    const alike = join(directory, "alike");
    writeFileSync(alike, "Host bastion\nUser root\nHost *\nUser deploy\n");
    const names = ["v", "w", "x", "y", "192.0.2.7"];
    const many = names.map((name) => hostEntry({ name, ssh: { host: name }, sshConfig: alike }));
    const run = vi.fn<Ports["run"]>();
    const real = nodePorts({ env, run });
    const runInTurn = vi.fn<NonNullable<Ports["runInTurn"]>>(real.runInTurn);
    const ports = { ...real, runInTurn };

    askAhead(many, ports);
    const routes = await Promise.all(many.map((host) => resolveRoute(host, ports)));

    expect(routes.map(({ host, user }) => `${user}@${host}`)).toEqual(
      names.map((name) => `deploy@${name}`),
    );
    expect(runInTurn.mock.calls.flatMap(([, argvs]) => argvs)).toHaveLength(2);
    expect(run).not.toHaveBeenCalled();
  });
});
