import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { hasSshd } from "../support/sshd.ts";
import { openStage } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";
import { hasScript, openTerminal } from "../support/terminal.ts";

const BIN = fileURLToPath(new URL("../../bin/sync-creds.js", import.meta.url));
const ENTER = "\r";
const ALIASES =
  "Host web-1 web-2\n  User deploy\nHost *.example.com !not\nHost db_1\nInclude more/*\n";
const INVENTORY = {
  _meta: {
    hostvars: {
      "web-1": { ansible_host: "192.0.2.1" },
      "web-2": {
        ansible_host: "192.0.2.2",
        ansible_user: "deploy",
        ansible_port: 2222,
        ansible_password: "CANARY-password",
        ansible_become: true,
        ansible_become_user: "claude",
      },
      "my web": { ansible_host: "192.0.2.3" },
      here: { ansible_connection: "local" },
      bad: { ansible_host: "a b" },
    },
  },
  all: { children: ["web", "here"] },
  web: { hosts: ["web-1", "web-2", "my web"] },
  here: { hosts: ["here", "web-2"] },
  "web-2": { hosts: ["web-2"] },
};

describe.skipIf(!hasSshd)("hosts import, in a pipe", () => {
  test("takes names of ~/.ssh/config, included files too, and makes a private hosts.json", async () => {
    await using stage = await openStage();
    writeAliases(stage);
    rmSync(stage.hostsJson);

    const ended = await stage.run("hosts", "import", "--all", "--restart", "none");

    expect(ended).toMatchObject({ code: 0 });
    expect(lstatSync(stage.hostsJson).mode & 0o777).toBe(0o600);
    expect(readFileSync(stage.hostsJson, "utf8")).toBe(`{
  "defaults": {
    "wrapper": { "url": "http://127.0.0.1:8000" },
    "restart": { "kind": "none" }
  },
  "hosts": {
    "web-1": { "ssh": "web-1" },
    "web-2": { "ssh": "web-2" },
    "db_1": { "ssh": "db_1" },
    "more-1": { "ssh": "more-1" }
  }
}
`);
    const listed = await stage.run("hosts", "list", "--json");
    expect(listed.hosts).toHaveLength(4);
  });

  test("hosts that are there stay as they are and are named; a second time there is nothing to add", async () => {
    await using stage = await openStage();
    writeAliases(stage);
    const before = JSON.parse(readHosts(stage)) as { hosts: object };

    const argv = [
      "hosts",
      "import",
      "web-1",
      "web-2",
      "web-2",
      "--restart",
      "none",
      "--run-as",
      "claude",
      "--group",
      "prod",
    ];
    const ended = await stage.run(...argv);

    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/web-1 +kept +it is in hosts\.json already/);
    expect(ended.stdout).toMatch(/web-2 +added/);
    expect(JSON.parse(readHosts(stage))).toEqual({
      hosts: { ...before.hosts, "web-2": { ssh: "web-2", runAs: "claude" } },
      defaults: { wrapper: { url: "http://127.0.0.1:8000" }, restart: { kind: "none" } },
      groups: { prod: { hosts: ["web-2"] } },
    });
    const after = readHosts(stage);
    const again = await stage.run(...argv);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toContain("nothing to add");
    expect(readHosts(stage)).toBe(after);
  });

  test("what `defaults` says is not changed: an option that differs goes to the new hosts", async () => {
    await using stage = await openStage();
    writeAliases(stage);
    const defaults = { wrapper: { url: "http://127.0.0.1:1" }, restart: { kind: "none" } };
    writeFileSync(stage.hostsJson, JSON.stringify({ defaults, hosts: {} }));

    const argv = [
      "hosts",
      "import",
      "web-2",
      "web-1",
      "--restart",
      "systemd",
      "--unit",
      "w.service",
    ];
    expect((await stage.run(...argv)).code).toBe(0);

    const entry = { restart: { kind: "systemd", unit: "w.service" } };
    expect(JSON.parse(readHosts(stage))).toEqual({
      defaults,
      hosts: { "web-2": { ssh: "web-2", ...entry }, "web-1": { ssh: "web-1", ...entry } },
    });
  });

  test("another ssh_config goes into a file without hosts; one with hosts is refused, for they could lead elsewhere", async () => {
    await using stage = await openStage();
    mkdirSync(join(stage.laptop, "fleet"));
    const path = join(stage.laptop, "fleet", "ssh_config");
    writeFileSync(
      path,
      readFileSync(stage.sshd.sshConfig, "utf8").replace("Host *", "Host far\n  User x\nHost *"),
    );
    const before = readHosts(stage);
    const argv = ["hosts", "import", "--all", "--from", "fleet/ssh_config", "--restart", "none"];

    const refused = await stage.run(...argv);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("the hosts of hosts.json use another ssh_config");
    expect(readHosts(stage)).toBe(before);

    expect((await stage.run(...argv, "-c", "fleet/hosts.json")).code).toBe(0);
    expect(
      JSON.parse(readFileSync(join(stage.laptop, "fleet", "hosts.json"), "utf8")),
    ).toMatchObject({
      sshConfig: "./ssh_config",
      hosts: { far: { ssh: "far" } },
    });
    const listed = await stage.run("hosts", "list", "-c", "fleet/hosts.json");
    expect(listed.stdout).toContain(`far   x@127.0.0.1:${stage.sshd.port}`);
    // From now on it is the one that names are taken from.
    const again = await stage.run("hosts", "import", "far", "-c", "fleet/hosts.json");
    expect(again.stdout).toMatch(/far +kept/);
  });

  test("of an inventory addresses, accounts and groups are taken, passwords never", async () => {
    await using stage = await openStage();
    rmSync(stage.hostsJson);

    const ended = importFrom(stage, JSON.stringify(INVENTORY), "-", "--all", "--restart", "none");

    expect(ended).toMatchObject({ status: 0 });
    const written = readHosts(stage);
    expect(JSON.parse(written)).toMatchObject({
      groups: { web: { hosts: ["web-1", "web-2", "my-web"] }, here: { hosts: ["web-2"] } },
      hosts: {
        "web-1": { ssh: "192.0.2.1" },
        "web-2": { ssh: "deploy@192.0.2.2:2222", runAs: "claude" },
        "my-web": { ssh: "192.0.2.3" },
      },
    });
    expect(ended.stdout).toMatch(/here +left out +it is this computer/);
    expect(ended.stdout).toMatch(/bad +left out +ssh must be an alias/);
    expect(ended.stderr).toContain("web-2: ansible_password is not taken over");
    expect(ended.stderr).toContain("group web-2 is left out: there is a host `web-2`");
    expect(`${ended.stdout}${ended.stderr}${written}`).not.toContain("CANARY");
  });

  test("a dry run writes nothing, and its JSON says what would be", async () => {
    await using stage = await openStage();
    const before = readHosts(stage);
    const path = join(stage.laptop, "inventory.json");
    writeFileSync(path, JSON.stringify(INVENTORY));

    const argv = [
      "hosts",
      "import",
      "--ansible",
      path,
      "--all",
      "-n",
      "--restart",
      "none",
      "--json",
    ];
    const ended = await stage.run(...argv);

    expect(ended.code).toBe(0);
    expect(readHosts(stage)).toBe(before);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      type: "result",
      exitCode: 0,
      dryRun: true,
      groups: { web: ["web-2", "my-web"] },
      hosts: [
        { host: "web-1", outcome: "present" },
        { host: "web-2", outcome: "planned", entry: { ssh: "deploy@192.0.2.2:2222" } },
        { host: "my-web", from: "my web", outcome: "planned" },
        { host: "here", outcome: "left-out" },
        { host: "bad", outcome: "left-out" },
      ],
    });
  });

  test.each([
    ["an unknown alias", ["web-3", "--restart", "none"], "TARGET_UNKNOWN", "Did you mean `web-"],
    [
      "a pattern",
      ["*.example.com", "--restart", "none"],
      "TARGET_UNKNOWN",
      "patterns are no hosts",
    ],
    ["no choice", ["--restart", "none"], "INPUT_NEEDED", "--all"],
    ["no restart", ["web-2"], "INPUT_NEEDED", "--restart"],
    [
      "a missing ssh_config",
      ["--all", "--from", "gone", "-c", "new.json"],
      "USAGE",
      "there is no such file",
    ],
    ["a missing inventory", ["--all", "--ansible", "gone"], "USAGE", "ENOENT"],
    ["both sources", ["--all", "--ansible", "a", "--from", "b"], "cannot be used with", "--from"],
  ])("%s is refused, and nothing is written", async (_, argv, code, words) => {
    await using stage = await openStage();
    writeAliases(stage);
    const before = readHosts(stage);

    const ended = await stage.run("hosts", "import", ...argv);

    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.stderr).toContain(code);
    expect(ended.stderr).toContain(words);
    expect(readHosts(stage)).toBe(before);
  });

  test.each([
    ["broken JSON", '{"_meta": {"hostvars": {"a": {"ansible_password": "CANARY'],
    ["nothing", ""],
    ["JSON of another kind", '{"hosts": "CANARY"}'],
  ])("%s is no inventory, and none of it is shown", async (_, text) => {
    await using stage = await openStage();
    const before = readHosts(stage);

    const ended = importFrom(stage, text, "-", "--all", "--restart", "none", "-v");

    expect(ended).toMatchObject({ status: 2, stdout: "" });
    expect(ended.stderr).toContain("stdin is no inventory");
    expect(ended.stderr).not.toContain("CANARY");
    expect(readHosts(stage)).toBe(before);
  });
});

describe.skipIf(!hasSshd || !hasScript)("hosts import, on a terminal", () => {
  test("offers what is new, and asks once how the wrappers are reached and restarted", async () => {
    await using stage = await openStage();
    writeAliases(stage);
    const before = JSON.parse(readHosts(stage)) as { hosts: object };

    const terminal = openTerminal(stage, ["hosts", "import"]);
    await terminal.shows("Which hosts shall be added to hosts.json?");
    await terminal.shows("more-1");
    terminal.type("\u001b[B "); // down, then pick
    await terminal.shows(/◉ *db_1/);
    terminal.type(ENTER);
    await terminal.shows("Where does the wrapper answer");
    terminal.type(ENTER);
    await terminal.shows("How is the wrapper restarted?");
    terminal.type(ENTER);
    await terminal.shows("Which unit?");
    terminal.type(`wrapper.service${ENTER}`);
    await terminal.shows("Whose unit is it?");
    terminal.type(`\u001b[B${ENTER}`);

    expect(await terminal.ended).toBe(0);
    expect(stripVTControlCharacters(terminal.raw())).not.toMatch(/[◯◉] *web-1/);
    expect(JSON.parse(readHosts(stage))).toEqual({
      hosts: { ...before.hosts, db_1: { ssh: "db_1" } },
      defaults: {
        wrapper: { url: "http://127.0.0.1:8000" },
        restart: { kind: "systemd", unit: "wrapper.service", scope: "user" },
      },
    });
  });

  test("Ctrl-C at the picker ends with 130 and nothing written", async () => {
    await using stage = await openStage();
    writeAliases(stage);
    const before = readHosts(stage);

    const terminal = openTerminal(stage, ["hosts", "import"]);
    await terminal.shows("Which hosts shall be added to hosts.json?");
    terminal.type("\u0003");

    expect(await terminal.ended).toBe(130);
    expect(readHosts(stage)).toBe(before);
  });
});

function writeAliases({ laptop }: Stage): void {
  mkdirSync(join(laptop, ".ssh", "more"), { recursive: true, mode: 0o700 });
  writeFileSync(join(laptop, ".ssh", "config"), ALIASES);
  writeFileSync(join(laptop, ".ssh", "more", "one"), "Host more-1\n");
}

function readHosts({ hostsJson }: Stage): string {
  return readFileSync(hostsJson, "utf8");
}

/** Runs the import with an inventory in the pipe. */
function importFrom({ laptop }: Stage, inventory: string, ...argv: readonly string[]) {
  return spawnSync(process.execPath, [BIN, "hosts", "import", "--ansible", ...argv], {
    cwd: laptop,
    env: { HOME: laptop, PATH: process.env["PATH"] },
    input: inventory,
    encoding: "utf8",
  });
}
