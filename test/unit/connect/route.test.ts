import { expect, test } from "vitest";
import { resolveRoute } from "../../../src/connect/route.ts";
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

test("a complete entry is its own route, without asking ssh", async () => {
  const { run, calls } = fakeRun({});
  expect(await resolveRoute(hostEntry(COMPLETE), fakePorts({ run }))).toEqual({
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
    notes: [],
  });
  expect(calls).toEqual([]);
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
  ].join("\n");
  expect(await routeOf(config)).toEqual({
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
    notes: [],
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

test.each(["proxyjump bastion", "proxycommand nc %h %p", "revokedhostkeys /etc/ssh/revoked"])(
  "`%s` is refused by name",
  async (line) => {
    await expect(routeOf(`hostname web\n${line}\n`)).rejects.toMatchObject({
      code: "SSH_UNSUPPORTED",
      message: expect.stringMatching(/^(ProxyJump|ProxyCommand|RevokedHostKeys) is set/),
      why: expect.stringContaining("not contacted"),
    });
  },
);

test("a certificate is a note, not an error", async () => {
  expect((await routeOf("certificatefile ~/.ssh/id-cert.pub")).notes).toEqual([
    expect.stringContaining("CertificateFile"),
  ]);
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
    next: [expect.stringContaining("Match exec")],
  });
});

function tooSlow(): Promise<never> {
  return Promise.reject(new Error("`ssh` took longer than 2 s"));
}
