import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { generateKey, hasSshd } from "../support/sshd.ts";
import { openStage } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";

describe.skipIf(!hasSshd)("hosts list", () => {
  test("shows what ssh would do for each host, and contacts none", async () => {
    await using stage = await openStage();
    writeFleet(stage);

    const ended = await stage.run("hosts", "list");

    expect(ended.code).toBe(10);
    const rows = ended.stdout
      .split("\n\n")[0]
      ?.split("\n")
      .map((row) => row.split(/ {2,}/));
    expect(rows).toEqual([
      ["HOST", "ADDRESS", "JUMP", "KEYS", "TRANSPORT", "HOST KEY"],
      ["known", "ann@192.0.2.1:2201", "-", "~/key", "node", "known (ssh-ed25519)"],
      ["pinned", "root@192.0.2.2:22", "-", "none", "node", "pinned"],
      ["new", "root@192.0.2.3:22", "-", "none", "node", "unknown"],
      [
        "far",
        "root@192.0.2.4:22",
        "jump@192.0.2.1:2201 -> root@192.0.2.3:22 (host key unknown)",
        "none",
        "node",
        "unknown",
      ],
      ["bad", "root@192.0.2.5:22", "-", "none", "node", "revoked"],
      [
        "by-ca",
        "root@192.0.2.6:22",
        "-",
        "none",
        "openssh (the host certificate of by-ca)",
        "certificate authority",
      ],
      [
        "proxied",
        "root@192.0.2.7:22",
        "-",
        "~/gone (the file does not exist)",
        "openssh (ProxyCommand)",
        "unknown",
      ],
      ["broken", "ProxyJump of broken names no host (SSH_UNSUPPORTED)"],
    ]);
    expect(ended.stdout).toContain(
      "\n✖ ProxyJump of broken names no host  SSH_UNSUPPORTED\n  why ",
    );
    expect(stage.sshd.log()).not.toContain("Connection from");
  });

  test("as JSON on one line, of the hosts that are named", async () => {
    await using stage = await openStage();
    writeFleet(stage);

    const ended = await stage.run("hosts", "list", "b*", "far", "--exclude", "bad", "--json");

    expect(ended.code).toBe(10);
    expect(ended.stdout.match(/\n/g)).toHaveLength(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      type: "result",
      schemaVersion: 1,
      exitCode: 10,
      hosts: [
        {
          host: "far",
          user: "root",
          address: "192.0.2.4",
          port: 22,
          jump: [
            { address: "jump@192.0.2.1:2201", hostKey: "known" },
            { address: "root@192.0.2.3:22", hostKey: "unknown" },
          ],
          keys: [],
          agentKeys: 0,
          transport: "node",
          hostKey: "unknown",
        },
        { host: "by-ca", transport: "openssh", hostKey: "certificate authority" },
        {
          host: "broken",
          error: { code: "SSH_UNSUPPORTED", what: "ProxyJump of broken names no host" },
        },
      ],
    });
  });

  test("ends with 0 when every host can be resolved, and with 2 for a target that is none", async () => {
    await using stage = await openStage();
    writeFleet(stage);
    expect((await stage.run("hosts", "list", "known", "far")).code).toBe(0);
    expect(await stage.run("hosts", "list", "knwon")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Did you mean `known`?") as string,
    });
    const nowhere = await stage.run("hosts", "list", "-c", "nowhere.json", "--json");
    expect(nowhere).toMatchObject({ code: 3 });
    expect(nowhere.stdout).toContain('"code":"CONFIG_NOT_FOUND"');
  });
});

/** Hosts of each kind, none of them real. */
function writeFleet({ laptop, hostsJson, sshd }: Stage): void {
  generateKey(join(laptop, "key"), "ed25519");
  const key = readFileSync(`${join(laptop, "key")}.pub`, "utf8")
    .split(" ")
    .slice(0, 2)
    .join(" ");
  writeFileSync(
    join(laptop, "known_hosts"),
    [
      `[192.0.2.1]:2201 ${key}`,
      `192.0.2.5 ${key}`,
      `@revoked 192.0.2.5 ${key}`,
      `@cert-authority 192.0.2.6 ${key}`,
      "",
    ].join("\n"),
  );
  writeFileSync(
    join(laptop, "ssh_config"),
    `Host known
  HostName 192.0.2.1
  User ann
  Port 2201
  IdentityFile ${laptop}/key
Host hop-2
  HostName 192.0.2.3
Host far
  HostName 192.0.2.4
  ProxyJump jump@192.0.2.1:2201,hop-2
Host by-ca
  HostName 192.0.2.6
Host proxied
  HostName 192.0.2.7
  ProxyCommand nc %h %p
  IdentityFile ${laptop}/gone
Host broken
  ProxyJump {}
Host *
  User root
  IdentityFile none
  IdentityAgent none
  UserKnownHostsFile ${laptop}/known_hosts
  GlobalKnownHostsFile none
`,
  );
  const ssh = (target: string, more = {}) => ({ ssh: target, ...more });
  const hosts = {
    known: ssh("known"),
    pinned: ssh("192.0.2.2", { hostKey: sshd.hostKeys[0]?.fingerprint }),
    new: ssh("192.0.2.3"),
    far: ssh("far"),
    bad: ssh("192.0.2.5"),
    "by-ca": ssh("by-ca"),
    proxied: ssh("proxied"),
    broken: ssh("broken"),
  };
  const defaults = { wrapper: { url: "http://127.0.0.1:8000" }, restart: { kind: "none" } };
  const text = JSON.stringify({ sshConfig: "./ssh_config", defaults, hosts });
  writeFileSync(hostsJson, text);
}
