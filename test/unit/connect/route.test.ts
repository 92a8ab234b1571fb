import { expect, test } from "vitest";
import { resolveRoute } from "../../../src/connect/route.ts";
import type { Ports } from "../../../src/ports.ts";
import { fakePorts, fakeRun, type FakeWorld } from "../../support/fake-ports.ts";
import { hostEntry } from "../../support/host-entry.ts";

const COMPLETE = {
  ssh: { host: "web-1.example.com", user: "deploy", port: 2222 },
  identityFile: "~/keys/id",
  knownHosts: "/home/ann/known_hosts",
};

function routeOf(config: string, world: FakeWorld = {}) {
  return resolveRoute(
    hostEntry({ ssh: { host: "web" } }),
    fakePorts({ ...fakeRun({ stdout: config }), ...world }),
  );
}

const PLAIN = {
  label: "web-1",
  command:
    "ssh -p 2222 -i ~/keys/id -o UserKnownHostsFile=/home/ann/known_hosts deploy@web-1.example.com",

  name: "web-1",
  hops: [],
  demands: [],
  methods: ["publickey", "keyboard-interactive", "password"],
  keychainHasPassphrases: false,
  keepAlive: { intervalMs: 5000, count: 3 },
  takesAnyKey: false,
  socket: {},
  forksAway: false,
  notes: [],
};

test("a complete entry needs no ssh program", async () => {
  expect(await resolveRoute(hostEntry(COMPLETE), fakePorts())).toEqual({
    ...PLAIN,
    host: "web-1.example.com",
    port: 2222,
    user: "deploy",
    identityFiles: ["/home/ann/keys/id"],
    identitiesAreChosen: true,
    identitiesOnly: false,
    knownHostsFiles: { user: ["/home/ann/known_hosts"], global: ["/etc/ssh/ssh_known_hosts"] },
    hashKnownHosts: false,
    strict: "ask",
    connectTimeoutMs: 10_000,
  });
});

test("a person would reach it with the name and the files that hosts.json gives", async () => {
  const commandOf = async (different: Parameters<typeof hostEntry>[0]) =>
    (await resolveRoute(hostEntry(different), fakePorts(fakeRun({ stdout: "" })))).command;
  expect(await commandOf({ ssh: { host: "web" } })).toBe("ssh web");
  expect(await commandOf({ ssh: { host: "web", user: "ann" }, sshConfig: "/a b/it's" })).toBe(
    String.raw`ssh -F '/a b/it'\''s' ann@web`,
  );
});

test("ssh is asked with the parts that select its answer, once per run and target", async () => {
  const { run, calls } = fakeRun({ stdout: "hostname 10.0.0.7\n" });
  const ports = fakePorts({ run });
  const host = hostEntry({
    ssh: { host: "web", user: "deploy", port: 2200 },
    sshConfig: "/home/ann/ssh_config",
  });
  await Promise.all([resolveRoute(host, ports), resolveRoute(host, ports)]);
  expect(calls).toEqual([
    ["ssh", "-TG", "-F", "/home/ann/ssh_config", "-p", "2200", "-l", "deploy", "--", "web"],
  ]);
});

test("what ssh says is followed", async () => {
  const config = [
    "host web",
    "hostname 10.0.0.7",
    "port 2200",
    "user deploy",
    "identityfile ~/.ssh/%h-key",
    "identityfile /with space/id",
    "identitiesonly yes",
    "identityagent ~/agent.sock",
    "userknownhostsfile ~/kh1 ~/kh2",
    "globalknownhostsfile /etc/kh",
    "hostkeyalias web-key",
    "hashknownhosts yes",
    "stricthostkeychecking accept-new",
    "connecttimeout 3",
    "proxyjump none",
    "serveraliveinterval 20",
    "serveralivecountmax 2",
    "addressfamily inet6",
    "bindaddress 192.0.2.9",
    "hostkeyalgorithms rsa-sha2-512,ssh-ed25519",
    "preferredauthentications password,gssapi-with-mic,publickey",
  ].join("\n");
  expect(await routeOf(config)).toEqual({
    ...PLAIN,
    command: "ssh web",
    host: "10.0.0.7",
    port: 2200,
    user: "deploy",
    identityFiles: ["/home/ann/.ssh/10.0.0.7-key", "/with space/id"],
    identitiesAreChosen: true,
    identitiesOnly: true,
    agentSocket: "/home/ann/agent.sock",
    knownHostsFiles: { user: ["/home/ann/kh1", "/home/ann/kh2"], global: ["/etc/kh"] },
    hostKeyAlias: "web-key",
    hashKnownHosts: true,
    strict: "accept-new",
    connectTimeoutMs: 3000,
    keepAlive: { intervalMs: 20_000, count: 2 },
    socket: { family: 6, localAddress: "192.0.2.9" },
    hostKeyAlgorithms: ["rsa-sha2-512", "ssh-ed25519"],
    methods: ["password", "publickey"],
  });
});

test("hosts.json wins over ssh", async () => {
  const { run } = fakeRun({
    stdout: "hostname 10.0.0.7\nuser root\nport 22\nidentityfile /theirs\nuserknownhostsfile /kh\n",
  });
  const host = hostEntry({ ...COMPLETE, ssh: { ...COMPLETE.ssh, host: "web" } });
  expect(await resolveRoute(host, fakePorts({ run }))).toMatchObject({
    host: "10.0.0.7",
    user: "deploy",
    port: 2222,
    identityFiles: ["/home/ann/keys/id"],
    knownHostsFiles: { user: ["/home/ann/known_hosts"] },
  });
});

test("default identity files count only where they exist", async () => {
  const config = "identityfile ~/.ssh/id_rsa\nidentityfile ~/.ssh/id_ed25519\n";
  const files = { "/home/ann/.ssh/id_ed25519": { content: "" } };
  expect(await routeOf(config, { files })).toMatchObject({
    identityFiles: ["/home/ann/.ssh/id_ed25519"],
    identitiesAreChosen: false,
  });
});

test.each([
  ["", "/run/agent"],
  ["identityagent SSH_AUTH_SOCK", "/run/agent"],
  ["identityagent $MY_AGENT", "/run/mine"],
  ["identityagent ${MY_AGENT}", "/run/mine"],
  ["identityagent none", undefined],
])("the agent of `%s` is %s", async (config, socket) => {
  const env = { SSH_AUTH_SOCK: "/run/agent", MY_AGENT: "/run/mine" };
  expect((await routeOf(config, { env })).agentSocket).toBe(socket);
});

test.each([
  ["yes", "yes"],
  ["true", "yes"],
  ["ask", "ask"],
  ["accept-new", "accept-new"],
  ["off", "ask"],
  ["false", "ask"],
])("StrictHostKeyChecking %s is %s", async (value, strict) => {
  const route = await routeOf(`stricthostkeychecking ${value}`);
  expect(route.strict).toBe(strict);
  expect(route.notes).toHaveLength(value === "off" || value === "false" ? 1 : 0);
});

test("without an ssh program hosts.json and the defaults are all there is, with a note", async () => {
  const files = { "/home/ann/.ssh/id_rsa": { content: "" } };
  const route = await resolveRoute(hostEntry({ ssh: { host: "web" } }), fakePorts({ files }));
  expect(route).toMatchObject({
    host: "web",
    port: 22,
    user: "ann",
    identityFiles: ["/home/ann/.ssh/id_rsa"],
    knownHostsFiles: {
      user: ["/home/ann/.ssh/known_hosts", "/home/ann/.ssh/known_hosts2"],
      global: ["/etc/ssh/ssh_known_hosts"],
    },
    notes: [expect.stringContaining("no `ssh` program")],
  });
});

test.each([
  ["proxycommand nc %h %p", "ProxyCommand"],
  ["revokedhostkeys /etc/ssh/revoked", "RevokedHostKeys"],
  ["knownhostscommand /usr/bin/keys %H", "KnownHostsCommand"],
  ["certificatefile ~/.ssh/id-cert.pub", "CertificateFile"],
  ["pkcs11provider /usr/lib/p11.so", "PKCS11Provider"],
  ["bindinterface wg0", "BindInterface"],
  ["bindaddress laptop.example.com", "BindAddress"],
  ["hostbasedauthentication yes", "HostbasedAuthentication"],
  ["verifyhostkeydns ask", "VerifyHostKeyDNS"],
  ["kexalgorithms sntrup761x25519-sha512@openssh.com", "KexAlgorithms"],
  ["hostkeyalgorithms ssh-ed25519-cert-v01@openssh.com", "HostKeyAlgorithms"],
  ["ciphers chacha20-poly1305@openssh.com", "Ciphers"],
])("`%s` is left to the system's ssh", async (line, option) => {
  expect((await routeOf(`hostname web\n${line}\n`)).demands).toEqual([option]);
});

test.each([
  "proxycommand none",
  "verifyhostkeydns false",
  "hostbasedauthentication no",
  "gssapiauthentication yes",
  "kexalgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256",
])("`%s` asks for nothing special", async (line) => {
  expect((await routeOf(line)).demands).toEqual([]);
});

test("GSSAPI counts only for those who hold a ticket", async () => {
  const env = { KRB5CCNAME: "KEYRING:persistent:1000" };
  expect((await routeOf("gssapiauthentication yes", { env })).demands).toHaveLength(1);
});

/** Answers as `ssh -G` would, by the name that is asked about. */
function fakeSsh(configs: Readonly<Record<string, string>>): Pick<Ports, "run"> {
  return {
    run: (_program, argv) =>
      Promise.resolve({ code: 0, stdout: configs[argv.at(-1) ?? ""] ?? "", stderr: "" }),
  };
}

test("ProxyJump is followed hop by hop, each as its own configuration says", async () => {
  const { run } = fakeSsh({
    web: "hostname 10.0.0.7\nuser deploy\nproxyjump eve@bastion:2022,inner\n",
    bastion: "hostname bastion.example.com\nuser ignored\nport 22\nidentityfile /keys/bastion\n",
    inner: "hostname 10.0.0.1\nuser ops\nhostkeyalias inner-key\n",
  });
  const { hops } = await routeOf("", { run });
  expect(hops).toMatchObject([
    {
      label: "jump host bastion",
      command: "ssh -p 2022 eve@bastion",
      host: "bastion.example.com",
      user: "eve",
      port: 2022,
    },
    { label: "jump host inner", host: "10.0.0.1", user: "ops", hostKeyAlias: "inner-key" },
  ]);
  expect(hops[0]?.identityFiles).toEqual(["/keys/bastion"]);
});

test("the first jump host may have a jump host of its own; later ones are reached through the former", async () => {
  const { run } = fakeSsh({
    web: "hostname web\nproxyjump one,two\n",
    one: "hostname one\nproxyjump zero\n",
    two: "hostname two\nproxyjump elsewhere\nproxycommand nc %h %p\n",
    zero: "hostname zero\n",
  });
  const route = await routeOf("", { run });
  expect(route.hops.map(({ host }) => host)).toEqual(["zero", "one", "two"]);
  expect(route.demands).toEqual([]);
});

test("what a jump host needs, the whole way needs", async () => {
  const { run } = fakeSsh({
    web: "hostname web\nproxyjump one\n",
    one: "hostname one\nproxycommand nc %h %p\n",
  });
  expect((await routeOf("", { run })).demands).toEqual(["ProxyCommand of jump host one"]);
});

test("a ProxyJump that leads in a circle is told, not followed for ever", async () => {
  const { run } = fakeSsh({ web: "proxyjump one\n", one: "proxyjump web\n" });
  await expect(routeOf("", { run })).rejects.toMatchObject({
    code: "SSH_UNSUPPORTED",
    message: "ProxyJump leads in a circle",
  });
});

test("tokens in ProxyJump are those of the host behind it", async () => {
  const { run } = fakeSsh({
    web: "hostname 10.0.0.7\nuser deploy\nport 2200\nproxyjump %r@%n-gate:%p\n",
    "web-gate": "hostname gate.example.com\n",
  });
  expect((await routeOf("", { run })).hops).toMatchObject([
    { host: "gate.example.com", user: "deploy", port: 2200 },
  ]);
});

test("the brackets that ssh -G puts around an address are no part of it", async () => {
  const { run } = fakeSsh({
    web: "proxyjump eve@[192.0.2.1]:2022\n",
    "192.0.2.1": "user ignored\n",
  });
  expect((await routeOf("", { run })).hops).toMatchObject([
    { host: "192.0.2.1", user: "eve", port: 2022 },
  ]);
});

test("a ProxyJump that names no host is refused before anything is contacted", async () => {
  await expect(routeOf("proxyjump -oProxyCommand=x")).rejects.toMatchObject({
    code: "SSH_UNSUPPORTED",
    message: "ProxyJump of web names no host",
  });
});

test("tokens that only ssh can work out are worked out by ssh", async () => {
  const { run, calls } = fakeRun({
    stdout: "hostname web\nidentityfile ~/.ssh/%C\ncontrolpath /home/ann/.ssh/0a1b\n",
  });
  const host = hostEntry({ ssh: { host: "web" } });
  expect((await resolveRoute(host, fakePorts({ run }))).identityFiles).toEqual([
    "/home/ann/.ssh/0a1b",
  ]);
  expect(calls[1]).toEqual(["ssh", "-TG", "-o", 'ControlPath="~/.ssh/%C"', "--", "web"]);
});

test("a broken configuration is told in ssh's own words, without its control characters", async () => {
  const { run } = fakeRun({ code: 255, stderr: "config line 3: Bad option\u001b[2J: foo\r\n" });
  await expect(
    resolveRoute(hostEntry({ ssh: { host: "web" } }), fakePorts({ run })),
  ).rejects.toMatchObject({
    code: "SSH_UNSUPPORTED",
    why: "config line 3: Bad option [2J: foo",
  });
});

test("an ssh that hangs is not waited for", async () => {
  await expect(
    resolveRoute(hostEntry({ ssh: { host: "web" } }), fakePorts({ run: tooSlow })),
  ).rejects.toMatchObject({
    code: "SSH_UNSUPPORTED",
    why: "`ssh -G` did not answer within 10 s",
    next: [expect.stringContaining("Match exec")],
  });
});

function tooSlow(): Promise<never> {
  return Promise.reject(Object.assign(new Error("it took too long"), { code: "ETIMEDOUT" }));
}
