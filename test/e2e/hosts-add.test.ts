import { once } from "node:events";
import {
  chmodSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { freePort, hasSshd, keysOnRecord } from "../support/sshd.ts";
import { openStage } from "../support/stage.ts";
import type { Stage } from "../support/stage.ts";
import { hasScript, openTerminal } from "../support/terminal.ts";

const ENTER = "\r";
const CTRL_C = "\u0003";
const NONE = ["--restart", "none"] as const;

describe.skipIf(!hasSshd)("hosts add, in a pipe", () => {
  test("tries the connection and puts the host behind the others; comments stay", async () => {
    await using stage = await openStage();
    const before = writeHosts(stage);

    const restart = ["--restart", "systemd", "--unit", "claude-wrapper.service"];
    const argv = ["hosts", "add", "web-2", "--ssh", addressOf(stage), "--group", "prod"];
    const added = await stage.run(...argv, ...restart);

    expect(added).toMatchObject({ code: 0 });
    expect(added.stderr).toMatch(
      /web-2: reached \S+; acts as \S+, home \S+; our shell script runs/,
    );
    expect(added.stdout).toContain('added to hosts.json: "web-2": { "ssh":');
    const entry = `    "web-2": {
      "ssh": "${addressOf(stage)}",
      "restart": { "kind": "systemd", "unit": "claude-wrapper.service" }
    }`;
    const groups = '  "groups": {\n    "prod": { "hosts": ["web-2"] }\n  }';
    expect(readHosts(stage)).toBe(
      before
        .replace(" // the first\n", `, // the first\n${entry}\n`)
        .replace("\n  }\n}\n", `\n  },\n${groups}\n}\n`),
    );
    const listed = await stage.run("hosts", "list", "prod");
    expect(listed.stdout).toMatch(/web-2 .*known \(ssh-ed25519\)/);
  });

  test("without a hosts.json a private one is made, which a push accepts", async () => {
    await using stage = await openStage();
    rmSync(stage.hostsJson);

    const added = await stage.run("hosts", "add", "web-9", "--no-test", ...NONE, "--json");

    expect(added.code).toBe(0);
    expect(added.hosts).toEqual([
      {
        host: "web-9",
        outcome: "added",
        entry: {
          ssh: "web-9",
          wrapper: { url: "http://127.0.0.1:8000" },
          restart: { kind: "none" },
        },
      },
    ]);
    expect(lstatSync(stage.hostsJson).mode & 0o777).toBe(0o600);
    expect((await stage.run("hosts", "list", "--json")).hosts).toHaveLength(1);
  });

  test.each<[flags: string, restart: Record<string, string>]>([
    ["--unit w --scope user", { kind: "systemd", unit: "w", scope: "user" }],
    [
      "--directory /srv/w --service api",
      { kind: "docker-compose", directory: "/srv/w", service: "api" },
    ],
    ["--container w", { kind: "docker", container: "w" }],
    ["--app w", { kind: "pm2", name: "w" }],
    [
      "--program w --supervisor-config ~/s.conf",
      { kind: "supervisor", program: "w", config: "~/s.conf" },
    ],
    [
      "--label org.w --scope user --log ~/w.log",
      { kind: "launchd", label: "org.w", log: "~/w.log" },
    ],
    ["--label org.w --scope system", { kind: "launchd", label: "org.w", scope: "system" }],
  ])("`%s` says what restarts the wrapper: %j", async (flags, restart) => {
    await using stage = await openStage();
    writeHosts(stage);
    const kind = ["--restart", restart["kind"] ?? ""];

    const argv = ["hosts", "add", "web-2", "--no-test", "--json", ...kind];

    const added = await stage.run(...argv, ...flags.split(" "));

    expect(added.code).toBe(0);
    expect(added.hosts).toMatchObject([{ outcome: "added", entry: { restart } }]);
    expect((await stage.run("hosts", "list", "--json")).code).toBe(0);
  });

  test("a link stays a link, and the file keeps its mode", async () => {
    await using stage = await openStage();
    writeHosts(stage, 0o644);
    const real = join(stage.laptop, "real.json");
    renameSync(stage.hostsJson, real);
    symlinkSync(real, stage.hostsJson);

    expect((await stage.run("hosts", "add", "web-2", "--no-test", ...NONE)).code).toBe(0);

    expect(lstatSync(stage.hostsJson).isSymbolicLink()).toBe(true);
    expect(lstatSync(real).mode & 0o777).toBe(0o644);
    expect(readFileSync(real, "utf8")).toContain('"web-2"');
  });

  test.each([
    ["no name", [], 2, "INPUT_NEEDED", "sync-creds hosts add NAME"],
    ["no restart", ["web-2"], 2, "INPUT_NEEDED", "--restart …"],
    ["no unit", ["web-2", "--restart", "systemd"], 2, "INPUT_NEEDED", "--unit …"],
    ["a name that is taken", ["web-1", ...NONE], 2, "USAGE", "there is a host `web-1` already"],
    ["a name that cannot be", ["web 2", ...NONE], 2, "USAGE", "is not a usable key"],
    ["the name of all", ["all", ...NONE], 2, "USAGE", "`all` is reserved"],
    [
      "an odd target",
      ["b", "--ssh", "-oProxyCommand=x", ...NONE],
      2,
      "USAGE",
      "ssh must be an alias",
    ],
    [
      "an odd account",
      ["b", "--run-as", "a b", ...NONE],
      2,
      "USAGE",
      "runAs must be an account name",
    ],
    ["an odd address", ["b", "--url", "ftp://x", ...NONE], 2, "USAGE", "wrapper.url must be"],
    ["an odd kind", ["b", "--restart", "systemdd"], 2, "USAGE", "did you mean `systemd`?"],
    [
      "a unit for no kind",
      ["b", "--unit", "x.service", ...NONE],
      2,
      "USAGE",
      "`--unit` goes with `--restart systemd`",
    ],
    [
      "no service",
      ["b", "--restart", "docker-compose", "--directory", "/srv"],
      2,
      "INPUT_NEEDED",
      "--service …",
    ],
    [
      "a configuration for no kind",
      ["b", "--supervisor-config", "/x", ...NONE],
      2,
      "USAGE",
      "`--supervisor-config` goes with `--restart supervisor`",
    ],
    [
      "the group of its own name",
      ["b", "--group", "b", ...NONE],
      2,
      "USAGE",
      "is the name of a host",
    ],
    [
      "a group named as a host",
      ["b", "--group", "web-1", ...NONE],
      2,
      "USAGE",
      "there is a host `web-1` already",
    ],
  ] as const)("%s is refused before anything else", async (_, argv, code, error, words) => {
    await using stage = await openStage();
    const before = writeHosts(stage);

    const ended = await stage.run("hosts", "add", ...argv);

    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toContain(error);
    expect(ended.stderr).toContain(words);
    expect(readHosts(stage)).toBe(before);
    expect(stage.sshd.log()).not.toContain("Connection from");
  });

  test("a host that cannot be reached is not written, unless nobody asks", async () => {
    await using stage = await openStage();
    const before = writeHosts(stage);
    const argv = ["hosts", "add", "web-2", "--ssh", `127.0.0.1:${await freePort()}`, ...NONE];

    const ended = await stage.run(...argv, "--json");
    expect(ended).toMatchObject({ code: 12 });
    expect(ended.stdout).toContain('"code":"HOST_UNREACHABLE"');
    expect(ended.stdout).toContain("--no-test");
    expect(readHosts(stage)).toBe(before);

    expect((await stage.run(...argv, "--no-test")).code).toBe(0);
    expect(readHosts(stage)).toContain('"web-2"');
  });

  test("an unknown host key ends it: nobody can compare it", async () => {
    await using stage = await openStage();
    writeFileSync(stage.sshd.knownHosts, "");
    const before = writeHosts(stage);

    const ended = await stage.run("hosts", "add", "web-2", "--ssh", addressOf(stage), ...NONE);

    expect(ended.code).toBe(10);
    expect(ended.stderr).toContain("HOST_KEY_UNKNOWN");
    expect(readHosts(stage)).toBe(before);
  });

  test.each([
    ["read-only", 0o400, 3, "CONFIG_UNWRITABLE"],
    ["open to others", 0o666, 3, "CONFIG_UNSAFE"],
  ])("a hosts.json that is %s is left alone", async (_, mode, code, error) => {
    await using stage = await openStage();
    const before = writeHosts(stage, mode);

    const ended = await stage.run("hosts", "add", "web-2", "--no-test", ...NONE);

    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain(error);
    expect(readHosts(stage)).toBe(before);
  });

  test("a hosts.json that is broken is left alone, and its problem is placed", async () => {
    await using stage = await openStage();
    writeFileSync(stage.hostsJson, '{ "hosts": {\n  "web-1" "oops" } }', { mode: 0o600 });

    const ended = await stage.run("hosts", "add", "web-2", "--no-test", ...NONE);

    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain("hosts.json:2:11");
    expect(readHosts(stage)).toBe('{ "hosts": {\n  "web-1" "oops" } }');
  });
});

describe.skipIf(!hasSshd || !hasScript)("hosts add, on a terminal", () => {
  test("asks for everything, the host key too, and corrects a wrong answer with its rule", async () => {
    await using stage = await openStage();
    const knownHosts = join(stage.laptop, "known_hosts");
    writeHosts(stage, 0o600, knownHosts);

    const terminal = openTerminal(stage, ["hosts", "add"]);
    await terminal.shows("What shall the host be called here?");
    terminal.type(`web-1${ENTER}`);
    await terminal.shows("there is a host `web-1` already");
    terminal.type(`${"\u007F".repeat(5)}web-2${ENTER}`);
    await terminal.shows("How does ssh reach it?");
    terminal.type(`${addressOf(stage)}${ENTER}`);
    await terminal.shows("Does the wrapper run as another account?");
    terminal.type(ENTER);
    // `defaults` says where the wrapper answers.
    await terminal.shows("How is the wrapper restarted?");
    terminal.type(`\u001b[B${ENTER}`);
    await terminal.shows("In which folder of the host does it run?");
    terminal.type(`wrapper${ENTER}`);
    await terminal.shows("restart.directory must be a path that starts with");
    terminal.type(`${"\u007F".repeat(7)}~/wrapper${ENTER}`);
    await terminal.shows("Which command starts it, in the foreground?");
    terminal.type(`./start.sh${ENTER}`);
    await terminal.shows("To which group does it belong?");
    terminal.type(`prod${ENTER}`);
    await terminal.shows("Is this the key of");
    terminal.type(`y${ENTER}`);

    expect(await terminal.ended).toBe(0);
    expect(stripVTControlCharacters(terminal.raw())).toContain("our shell script runs");
    expect(JSON.parse(readHosts(stage).replace(/ \/\/ .*/, ""))).toMatchObject({
      groups: { prod: { hosts: ["web-2"] } },
      hosts: {
        "web-1": {},
        "web-2": {
          ssh: addressOf(stage),
          restart: { kind: "process", directory: "~/wrapper", command: "./start.sh" },
        },
      },
    });
    expect(keysOnRecord(knownHosts, stage.sshd.port)).toHaveLength(1);
  });

  test.each([
    ["no", "", 12],
    ["yes", "y", 0],
  ])(
    "a host that cannot be reached is asked about, and the answer %s is followed",
    async (_, key, code) => {
      await using stage = await openStage();
      const before = writeHosts(stage);

      const argv = ["hosts", "add", "web-2", "--ssh", `127.0.0.1:${await freePort()}`];
      const said = ["--run-as", "claude", "--group", "prod"];
      const terminal = openTerminal(stage, [...argv, ...said, ...NONE]);
      await terminal.shows("HOST_UNREACHABLE");
      await terminal.shows("Write web-2 into hosts.json nevertheless?");
      terminal.type(`${key}${ENTER}`);

      expect(await terminal.ended).toBe(code);
      expect(readHosts(stage) === before).toBe(code !== 0);
    },
  );

  test.each(["What shall the host be called here?", "How is the wrapper restarted?"])(
    "Ctrl-C at `%s` ends with 130 and nothing written",
    async (question) => {
      await using stage = await openStage();
      const before = writeHosts(stage);
      const said = question.startsWith("What") ? [] : ["web-2", "--ssh", "a", "--run-as", "b"];

      const terminal = openTerminal(stage, ["hosts", "add", ...said]);
      await terminal.shows(question);
      terminal.type(CTRL_C);

      expect(await terminal.ended).toBe(130);
      expect(readHosts(stage)).toBe(before);
      expect(stage.sshd.log()).not.toContain("Connection from");
    },
  );

  test("Ctrl-C while the host is silent ends with 130 and nothing written", async () => {
    await using stage = await openStage();
    const before = writeHosts(stage);
    await using silent = await listenInSilence();

    const argv = ["hosts", "add", "web-2", "--ssh", `127.0.0.1:${silent.port}`, "--run-as", "b"];
    const terminal = openTerminal(stage, [...argv, "--group", "prod", ...NONE]);
    await silent.contacted;
    terminal.type(CTRL_C);

    expect(await terminal.ended).toBe(130);
    expect(stripVTControlCharacters(terminal.raw())).toContain("interrupted: nothing was written");
    expect(readHosts(stage)).toBe(before);
  });

  test("what changes the file while a question is open is not overwritten", async () => {
    await using stage = await openStage();
    writeHosts(stage);

    const argv = ["hosts", "add", "web-2", "--no-test", "--ssh", "a", "--run-as", "b"];
    const terminal = openTerminal(stage, [...argv, ...NONE]);
    await terminal.shows("To which group does it belong?");
    writeFileSync(stage.hostsJson, '{ "hosts": {} } // mine');
    terminal.type(ENTER);

    expect(await terminal.ended).toBe(10);
    expect(stripVTControlCharacters(terminal.raw())).toContain("FILE_CHANGED");
    expect(readHosts(stage)).toBe('{ "hosts": {} } // mine');
  });
});

/** A host that takes connections and says nothing. */
async function listenInSilence() {
  const server = createServer();
  const contacted = once(server, "connection");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    contacted,
    async [Symbol.asyncDispose]() {
      const [socket] = (await contacted) as [Socket];
      socket.destroy();
      server.close();
    },
  };
}

/** A file with a comment, whose `defaults` know how to log in; its text. */
function writeHosts(stage: Stage, mode = 0o600, knownHosts = stage.sshd.knownHosts): string {
  const text = `{
  "defaults": {
    "identityFile": "${stage.sshd.clientKey}",
    "knownHosts": "${knownHosts}",
    "wrapper": { "url": "http://127.0.0.1:${stage.wrapperPort}" }
  },
  "hosts": {
    "web-1": { "ssh": "web-1.example.com", "restart": { "kind": "none" } } // the first
  }
}
`;
  writeFileSync(stage.hostsJson, text);
  chmodSync(stage.hostsJson, mode);
  return text;
}

function readHosts({ hostsJson }: Stage): string {
  return readFileSync(hostsJson, "utf8");
}

function addressOf({ sshd }: Stage): string {
  return `${sshd.user}@127.0.0.1:${sshd.port}`;
}
